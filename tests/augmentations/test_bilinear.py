"""Against `grid_sample`, and twice differentiable where that is not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torch.testing import assert_close

from gan_lab.augmentations.bilinear import mirrored, warp


def random_maps(n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    torch.manual_seed(1)
    maps = torch.eye(3, dtype=dtype).repeat(n, 1, 1)
    maps[:, :2] += torch.randn(n, 2, 3, dtype=dtype) * torch.tensor([0.5, 0.5, 4.0], dtype=dtype)
    return maps


@pytest.mark.parametrize("shape", [(1, 7, 7), (3, 6, 9), (2, 2, 5)])
def test_equals_grid_sample(shape: tuple[int, int, int]) -> None:
    n, (channels, height, width) = 16, shape
    torch.manual_seed(0)
    images = torch.randn(n, channels, height, width, dtype=torch.float64)
    maps = random_maps(n)
    half = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float64)
    ys, xs = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    pixels = torch.stack([xs - half[0], ys - half[1], torch.ones_like(xs)], -1)  # (H, W, 3)
    grid = torch.einsum("nij,hwj->nhwi", maps[:, :2], pixels) / half
    expected = grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=True)
    assert_close(warp(images, maps), expected)


def test_whole_pixels_are_exact() -> None:
    images = torch.randn(2, 3, 8, 6)
    identity = torch.eye(3).repeat(2, 1, 1)
    assert torch.equal(warp(images, identity), images)
    moved = identity.clone()
    moved[:, 0, 2] = 2.0
    assert torch.equal(warp(images, moved)[..., :4], images[..., 2:])
    assert torch.equal(warp(images, moved)[..., 4:], images[..., [4, 3]])  # mirrored about the last column


def test_mirrored() -> None:
    assert mirrored(torch.arange(-5, 9), 4).tolist() == [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert mirrored(torch.arange(-3, 4), 2).tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_derivatives_of_both_orders() -> None:
    maps = random_maps(2)
    images = torch.randn(2, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: warp(x, maps).square(), images)
    assert torch.autograd.gradgradcheck(lambda x: warp(x, maps).square(), images)


def test_channels_last_and_type_are_kept() -> None:
    images = torch.randn(2, 3, 8, 8, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    result = warp(images, random_maps(2, torch.float32))
    assert result.dtype == torch.bfloat16
    assert result.is_contiguous(memory_format=torch.channels_last)
