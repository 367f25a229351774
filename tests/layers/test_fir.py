"""Filters by what they make of a constant, and by one another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torch.testing import assert_close

from gan_lab.layers.fir import Downsample, Filtered, Smooth, Upsample


def maps(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("layer", "size", "inside", "edge", "corner"),
    [(Upsample(), 8, 1.0, 0.75, 0.5625), (Downsample(), 4, 1.0, 0.875, 0.765625)],
)
def test_a_constant(layer: nn.Module, size: int, inside: float, edge: float, corner: float) -> None:
    """What lies beyond the border are zeros."""
    ones = torch.ones(1, 2, 4 if size == 8 else 8, 4 if size == 8 else 8)
    made = layer(ones)
    assert made.shape == (1, 2, size, size)
    assert_close(made[..., 1:-1, 1:-1], torch.full((1, 2, size - 2, size - 2), inside))
    assert_close(made[..., 0, 1:-1], torch.full((1, 2, size - 2), edge))
    assert_close(made[..., -1, -1], torch.full((1, 2), corner))


def test_up_is_bilinear_among_zeros() -> None:
    given = maps(2, 3, 4, 6)
    around = interpolate(pad(given, (1, 1, 1, 1)), scale_factor=2.0, mode="bilinear", align_corners=False)
    assert_close(Upsample().double()(given), around[..., 2:-2, 2:-2])


def test_inside_it_is_torchs_bilinear_resampling() -> None:
    """Away from the border, where zeros lie beyond, it is PyTorch's; down, the one with a filter."""
    features = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    up, down = Upsample().double()(features), Downsample().double()(features)
    assert up.shape == (2, 3, 16, 12)
    assert down.shape == (2, 3, 4, 3)
    bilinear = interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert_close(up[..., 1:-1, 1:-1], bilinear[..., 1:-1, 1:-1])
    filtered = interpolate(features, scale_factor=0.5, mode="bilinear", align_corners=False, antialias=True)
    assert_close(down[..., 1:-1, 1:-1], filtered[..., 1:-1, 1:-1])


def test_up_and_down_are_adjoint() -> None:
    small, large = maps(2, 3, 4, 6), maps(2, 3, 8, 12)
    up, down = Upsample().double()(small), Downsample().double()(large)
    assert up.shape == large.shape
    assert_close((up * large).sum(), 4 * (small * down).sum())


def test_smoothing_by_hand() -> None:
    """[1, 2, 1] on a single 1, and three times that."""
    one = torch.zeros(1, 1, 3, 3)
    one[..., 1, 1] = 1
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    assert_close(Smooth(1, taps=(1, 2, 1), gain=3.0)(one)[0, 0], 3 * torch.outer(line, line))
    assert Smooth(2)(torch.ones(2, 3, 8, 6)).shape == (2, 3, 9, 7)


def test_a_filter_is_no_part_of_the_state() -> None:
    assert not Upsample().state_dict()
    with pytest.raises(ValueError, match="a filter needs taps"):
        Filtered(())


@pytest.mark.parametrize("layer", [Upsample(), Downsample(), Smooth(1)])
def test_derivatives_of_both_orders(layer: nn.Module) -> None:
    given = maps(1, 2, 4, 4).requires_grad_()
    assert torch.autograd.gradgradcheck(layer.double(), given)
