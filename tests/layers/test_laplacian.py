"""The Laplacian pyramid: nothing is lost, and its two filters in closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from gan_lab.layers.laplacian import enlarged, halved, level_shape, pyramid


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (1, 1, 16, 24)], ids=str)
def test_what_is_missing_makes_the_image_again(shape: tuple[int, ...]) -> None:
    """To the last bit in float64, from the coarsest level up."""
    whole = images(*shape).double()
    coarsest, *finer = pyramid(whole, 3)
    assert coarsest.blurred is None
    made = coarsest.image
    for level in finer:
        assert level.blurred is not None
        made = enlarged(made) + (level.image - level.blurred)
        assert torch.equal(made, level.image)
    assert torch.equal(made, whole)


def test_levels_double_and_the_last_is_the_image() -> None:
    whole = images(2, 3, 16, 24)
    levels = pyramid(whole, 3)
    assert [tuple(level.image.shape[2:]) for level in levels] == [(4, 6), (8, 12), (16, 24)]
    assert levels[2].image is whole
    for coarse, level in pairwise(levels):
        assert_close(coarse.image, halved(level.image))
        assert_close(level.blurred, enlarged(coarse.image))
    assert len(pyramid(whole, 1)) == 1


def test_the_filters() -> None:
    """A mean of 2x2 pixels; three quarters of the nearer pixel and one of the next, and at the border the pixel."""
    assert halved(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item() == 3.0
    row = enlarged(torch.tensor([[[[0.0, 4.0]]]]))
    assert row[0, 0, 0].tolist() == row[0, 0, 1].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_sides_are_whole_on_every_level() -> None:
    assert level_shape([3, 32, 48], 2) == (3, 8, 12)
    assert level_shape([3, 5, 7], 0) == (3, 5, 7)
    with pytest.raises(ValueError, match=r"3x30x32 cannot be halved 2 times.*image_shape=\[3,32,32\]"):
        level_shape([3, 30, 32], 2)
