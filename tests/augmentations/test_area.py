"""Points in the plane are refused."""

from __future__ import annotations

import pytest

from gan_lab.augmentations.area import check_has_area


def test_two_pixels_are_enough() -> None:
    check_has_area([1, 2, 3])
    for shape in ([2, 1, 1], [3, 1, 8]):
        with pytest.raises(ValueError, match="too small to augment"):
            check_has_area(shape)
