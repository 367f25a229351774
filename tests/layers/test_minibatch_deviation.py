"""The map that says how much a group varies."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.layers.minibatch_deviation import MinibatchDeviation, deviation

TWELVE = torch.tensor([0.0, 0, 0, 0, 1, 2, 3, 4, 100, 200, 300, 400], dtype=torch.float64)


def test_twelve_images_by_hand() -> None:
    """Groups of 4 are 0 3 6 9, 1 4 7 10, 2 5 8 11; the deviation is biased."""
    found = deviation(TWELVE[:, None], 4)[:, 0]
    assert_close(found, torch.tensor([86.1782, 129.1905, 163.5566], dtype=torch.float64).repeat(4), rtol=1e-6, atol=0)


def test_one_constant_map_more() -> None:
    maps = TWELVE.view(12, 1, 1, 1).expand(12, 3, 2, 5).clone()
    made = MinibatchDeviation(4)(maps)
    assert made.shape == (12, 4, 2, 5)
    assert_close(made[:, :3], maps)
    assert_close(made[:, 3], deviation(maps, 4)[:, :, None].expand(12, 2, 5))


def test_the_statistic_of_halves_is_taken_in_full() -> None:
    maps = (1000 + torch.arange(4.0)).view(4, 1, 1, 1).bfloat16()
    made = MinibatchDeviation()(maps)
    assert made.dtype == torch.bfloat16
    assert_close(made[:, 1, 0, 0].float(), deviation(maps.float(), 4)[:, 0], rtol=1e-2, atol=0)


def test_derivatives_of_both_orders() -> None:
    maps = torch.randn(4, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(MinibatchDeviation(2), maps)


def test_refusal() -> None:
    with pytest.raises(ValueError, match="group must be at least 2 images"):
        MinibatchDeviation(1)
