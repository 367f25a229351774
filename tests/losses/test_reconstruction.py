"""Distances in closed form, and which pair they are taken of."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.layers.lab import from_lab
from gan_lab.losses.distances import L1, MSE, BandedMSE, Charbonnier, ColourL1, Distance, Frobenius
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.losses.regularizers import Turn

MADE, WANTED = torch.tensor([[[[1.0, -1.0]]], [[[0.0, 3.0]]]]), torch.tensor([[[[0.0, -1.0]]], [[[0.0, 1.0]]]])


@pytest.mark.parametrize(
    ("distance", "value"),
    [
        (L1(), 3 / 4),
        (MSE(), 5 / 4),
        (Frobenius(), (1 + 2) / 2),
        (Charbonnier(0.5), (math.sqrt(1.25) + 0.5 + 0.5 + math.sqrt(4.25)) / 4),
    ],
)
def test_distances(distance: Distance, value: float) -> None:
    assert_close(distance(MADE, WANTED), torch.tensor(value))
    assert_close(distance(WANTED, MADE), torch.tensor(value))


@pytest.mark.parametrize("eps", [0.0, -1.0, math.nan])
def test_a_corner_needs_a_radius(eps: float) -> None:
    with pytest.raises(ValueError, match="eps must be a positive number"):
        Charbonnier(eps)


def test_a_band_counts_more() -> None:
    """One pixel of four around two in a row: errors of 1 in the band, of 2 inside."""
    errors = torch.ones(3, 2, 8, 12)
    errors[..., 1:-1, 1:-1] = 2
    expected = (10 * (8 * 12 - 6 * 10) + 4 * 6 * 10) / (8 * 12)
    assert_close(BandedMSE(1 / 8, 10.0)(errors, torch.zeros(3, 2, 8, 12)), torch.tensor(expected))
    assert_close(BandedMSE(0.0)(errors, torch.zeros(3, 2, 8, 12)), MSE()(errors, torch.zeros(3, 2, 8, 12)))
    for band, factor in ((0.5, 1.0), (-0.1, 1.0), (math.nan, 1.0), (0.1, -1.0), (0.1, math.inf)):
        with pytest.raises(ValueError, match=r"^(band|factor) must be"):
            BandedMSE(band, factor)


def test_colours_apart_from_lightness() -> None:
    """a and b over 110, whatever L is."""
    made, wanted = (
        torch.tensor([[60.0, 11.0, 0.0], [50.0, 0.0, 0.0]]).view(2, 3, 1, 1),
        torch.tensor([[40.0, 0.0, -11.0], [80.0, 0.0, 0.0]]).view(2, 3, 1, 1),
    )
    assert_close(ColourL1()(from_lab(made), from_lab(wanted)), torch.tensor((0.1 + 0.1) / 4), atol=1e-4, rtol=0)


def test_charbonnier_has_a_slope_at_zero() -> None:
    made = torch.zeros(1, 1, 1, 1, requires_grad=True)
    Charbonnier()(made, torch.zeros(1, 1, 1, 1)).backward()
    assert made.grad is not None
    assert float(made.grad) == 0.0


def test_it_compares_its_own_pair_in_fp32() -> None:
    pairs = {"target": (MADE.bfloat16(), WANTED), "cycle": (WANTED, WANTED)}
    turn = Turn(real=WANTED, fake=MADE, critic=lambda x: x, pairs=pairs)
    found = Reconstruction("target", L1(), 100.0)(turn)
    assert found.dtype == torch.float32
    assert_close(found, torch.tensor(0.75))
    assert float(Reconstruction("cycle", L1(), 10.0)(turn)) == 0.0
    assert Reconstruction("cycle", L1(), 10.0).player == "generator"
    with pytest.raises(ConfigError, match=r"no pair 'identity' \(it has: target, cycle\)"):
        Reconstruction("identity", L1(), 5.0)(turn)
