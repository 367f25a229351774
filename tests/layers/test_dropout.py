"""Dropout by bits: how many are dropped, what becomes of the others, and which generator decides."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.layers.dropout import Dropout


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_share_and_scale(p: float) -> None:
    torch.manual_seed(0)
    count = 400_001  # not a multiple of four
    out = Dropout(p)(torch.ones(count))
    share = float((out == 0).double().mean())
    assert abs(share - p) <= 5 * math.sqrt(p * (1 - p) / count)
    kept = out[out != 0]
    assert_close(kept, torch.full_like(kept, 1 / (1 - round(p * 2**16) / 2**16) if p < 1 else 1.0))


def test_places_are_independent() -> None:
    """Neighbours, and places that share a draw: the mean product of two is the product of the means."""
    torch.manual_seed(0)
    kept = (Dropout(0.3)(torch.ones(1000, 400)) != 0).double()
    for distance in (1, 2, 3, 4):
        together = (kept[:, distance:] * kept[:, :-distance]).mean()
        assert abs(float(together) - 0.49) < 5 * math.sqrt(0.49 * 0.51 / kept.numel())


def test_the_gradient_passes_where_the_number_does() -> None:
    torch.manual_seed(0)
    features = torch.randn(7, 5, requires_grad=True)
    out = Dropout(0.5)(features)
    (gradient,) = torch.autograd.grad(out.sum(), features)
    assert_close(gradient, torch.where(out == 0, 0.0, 2.0))


def test_evaluation_and_seeds() -> None:
    features = torch.randn(9, 3)
    assert torch.equal(Dropout(0.5).eval()(features), features)
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(Dropout(0.5)(torch.ones(100)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
