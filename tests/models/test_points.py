"""Perceptrons for points in the plane."""

from __future__ import annotations

import pytest
import torch

from gan_lab.models.points import Discriminator, Generator


def test_they_work_at_the_scale_of_the_plane() -> None:
    """A generator for a plane twice as wide makes points half as far out; a discriminator undoes that."""
    torch.manual_seed(0)
    generator = Generator((2, 1, 1), latent_dim=5, extent=1.0, width=8, depth=2)
    latent = torch.randn(6, 5)
    points = generator(latent)
    assert points.shape == (6, 2, 1, 1)
    generator.extent = 4.0
    torch.testing.assert_close(generator(latent), points / 4)
    discriminator = Discriminator((2, 1, 1), extent=1.0, width=8, depth=2)
    near = discriminator(points)
    discriminator.extent = 4.0
    torch.testing.assert_close(discriminator(points / 4).scores, near.scores)
    assert near.scores.shape == (6,)
    assert near.features.shape == (6, 8)


def test_widths() -> None:
    assert sum(p.numel() for p in Generator((2, 1, 1), 5, 1.0, 8, 2).parameters()) == 5 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2
    with pytest.raises(ValueError, match="at least 1"):
        Generator((2, 1, 1), 5, 1.0, width=0)
