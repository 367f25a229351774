from __future__ import annotations

import pytest

from gan_lab.data.sources import naming
from gan_lab.errors import ConfigError


def test_labels_are_indices_into_the_sorted_distinct_values() -> None:
    assert naming.index([10, 2, 10, None, -1], "x") == {-1: 0, 2: 1, 10: 2}
    assert naming.names(naming.index(["dog", "cat"], "x")) == ["cat", "dog"]
    assert naming.names(naming.index([b"dog", b"caf\xc3\xa9"], "x")) == ["café", "dog"]
    assert naming.names(naming.index([2, 10], "x")) == ["2", "10"]
    assert naming.names({}) is None


@pytest.mark.parametrize("values", [[1.5], [1, "a"], [(1,)]])
def test_other_values_are_refused(values: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"^x: labels are whole numbers or words, these are "):
        naming.index(values, "x")
