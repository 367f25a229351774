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


def test_waves_by_hand() -> None:
    """One cycle per unit along the first axis; the extent brings points back to the plane."""
    discriminator = Discriminator((2, 1, 1), extent=2.0, waves=1)
    discriminator.waves.copy_(torch.tensor([[1.0], [0.0]]))
    discriminator.layers, discriminator.to_score = torch.nn.Sequential(), torch.nn.Linear(4, 1)
    points = torch.tensor([[0.0, 0.3], [0.125, 0.0], [0.25, -0.5]]).view(3, 2, 1, 1)
    expected = [[0.0, 0.6, 1.0, 0.0], [0.25, 0.0, 0.0, 1.0], [0.5, -1.0, -1.0, 0.0]]
    torch.testing.assert_close(discriminator(points).features, torch.tensor(expected), atol=1e-6, rtol=0)


def test_waves_are_drawn_once_and_kept() -> None:
    torch.manual_seed(0)
    one, other = (Discriminator((2, 1, 1), 1.0, waves=20_000, frequency=0.16) for _ in range(2))
    torch.testing.assert_close(one.waves.std(), torch.tensor(0.16), rtol=0.02, atol=0)
    assert not torch.equal(one.waves, other.waves)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.waves, other.waves)
    with pytest.raises(ValueError, match="must not be negative"):
        Discriminator((2, 1, 1), 1.0, frequency=-1.0)
