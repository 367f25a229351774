"""Random projections: a 1x1 convolution of each map, and sums of maps from the deepest on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.testing import assert_close

from gan_lab.layers.feature_mixing import FeatureMixing


def mixed(mixing: FeatureMixing, which: str, level: int, maps: Tensor) -> Tensor:
    """A 1x1 convolution as a product."""
    weight, bias = (getattr(mixing, which)[level].get_buffer(name) for name in ("weight", "bias"))
    return torch.einsum("oi,nihw->nohw", weight[:, :, 0, 0], maps) + bias[:, None, None]


def test_the_paper_by_hand() -> None:
    torch.manual_seed(0)
    mixing = FeatureMixing([3, 5, 7], base=4)
    fine, middle, deep = (torch.randn(2, c, side, side) for c, side in ((3, 8), (5, 4), (7, 2)))

    def doubled(maps: Tensor) -> Tensor:
        return interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=True)

    third = mixed(mixing, "across_scales", 2, doubled(mixed(mixing, "across_channels", 2, deep)))
    second = mixed(mixing, "across_scales", 1, doubled(mixed(mixing, "across_channels", 1, middle) + third))
    first = mixed(mixing, "across_scales", 0, doubled(mixed(mixing, "across_channels", 0, fine) + second))
    assert_close(mixing([fine, middle, deep]), [first, second, third])
    assert [each.shape[1] for each in (first, second, third)] == mixing.widths == [4, 4, 8]
    assert [each.shape[2] for each in (first, second, third)] == [16, 8, 4]


def test_the_papers_widths() -> None:
    assert FeatureMixing([24, 40, 112, 320]).widths == [64, 64, 128, 256]


def test_nothing_of_it_learns_and_a_checkpoint_brings_it_back() -> None:
    mixing, other = FeatureMixing([2, 2], base=2), FeatureMixing([2, 2], base=2)
    assert not list(mixing.parameters())
    maps = [torch.randn(1, 2, 4, 4, requires_grad=True), torch.randn(1, 2, 2, 2, requires_grad=True)]
    assert not torch.equal(mixing(maps)[0], other(maps)[0])
    other.load_state_dict(mixing.state_dict())
    assert torch.equal(mixing(maps)[0], other(maps)[0])
    mixing(maps)[0].sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in maps)


def test_odd_sides() -> None:
    """A map of 7 is not half of one of 13: what is doubled is cut to it."""
    made = FeatureMixing([2, 2], base=2)([torch.randn(1, 2, 13, 13), torch.randn(1, 2, 7, 7)])
    assert [each.shape[2] for each in made] == [26, 14]


def test_refusal() -> None:
    with pytest.raises(ValueError, match="at least one channel, not 0"):
        FeatureMixing([2], base=0)
