"""Both layers are the filters that the papers write down."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad
from torch.testing import assert_close

from gan_lab.layers.blur import BlurDown, BlurUp


def kernel(taps: list[int], total: int, channels: int) -> Tensor:
    """A filter for each channel, (C, 1, k, k)."""
    row = torch.tensor(taps, dtype=torch.float64)
    return (torch.outer(row, row) / total).expand(channels, 1, -1, -1)


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (2, 2)])
def test_down(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    maps = torch.randn(2, 3, *size, dtype=torch.float64)
    filtered = conv2d(pad(maps, (1, 1, 1, 1), mode="reflect"), kernel([1, 2, 1], 16, 3), stride=2, groups=3)
    assert_close(BlurDown()(maps), filtered)


@pytest.mark.parametrize("size", [(4, 3), (1, 1)])
def test_up(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    maps = torch.randn(2, 3, *size, dtype=torch.float64)
    padded = pad(maps, (1, 1, 1, 1), mode="replicate")
    filtered = conv_transpose2d(padded, kernel([1, 3, 3, 1], 16, 3), stride=2, padding=2, groups=3)
    assert_close(BlurUp()(maps), filtered[:, :, 1:-1, 1:-1])


def test_the_finest_pattern_does_not_come_through() -> None:
    """A checkerboard of period 2 is gray at half the size; every second of its values would be one colour."""
    checkerboard = (-1.0) ** (torch.arange(8)[:, None] + torch.arange(8)).view(1, 1, 8, 8)
    assert_close(BlurDown()(checkerboard), torch.zeros(1, 1, 4, 4))
