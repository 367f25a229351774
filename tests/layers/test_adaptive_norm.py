"""Statistics that a style says."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import instance_norm
from torch.testing import assert_close

from gan_lab.layers.adaptive_norm import AdaptiveInstanceNorm


def test_by_hand() -> None:
    torch.manual_seed(0)
    norm = AdaptiveInstanceNorm(3, 5).double()
    maps, style = torch.randn(2, 3, 4, 6, dtype=torch.float64) * 3 + 1, torch.randn(2, 5, dtype=torch.float64)
    assert norm.affine.bias is not None
    assert not norm.affine.bias.any()
    nn.init.normal_(norm.affine.bias)
    said = style @ norm.affine.weight.T / 5**0.5 + norm.affine.bias
    scale, shift = said[:, :3, None, None], said[:, 3:, None, None]
    assert_close(norm(maps, style), instance_norm(maps, eps=1e-8) * (scale + 1) + shift)
    made = norm(maps, style)
    assert_close(made.mean((2, 3)), shift[:, :, 0, 0])
    assert_close(made.std((2, 3), correction=0), (scale + 1)[:, :, 0, 0].abs())


def test_statistics_are_taken_in_fp32() -> None:
    norm = AdaptiveInstanceNorm(2, 5)
    maps, style = (100 + torch.randn(2, 2, 8, 8)).bfloat16(), torch.randn(2, 5)
    assert norm(maps, style).dtype == torch.bfloat16
    assert_close(norm(maps, style), norm(maps.float(), style).bfloat16())
