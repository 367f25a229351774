"""Near latents through linear players: the noise is drawn again from the same seed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.losses.latent_consistency import LatentConsistency
from gan_lab.losses.regularizers import Turn

A = torch.randn(6, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
W = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
Z = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def turn(a: Tensor, w: Tensor, player: str) -> Turn:
    def generator(latent: Tensor) -> Tensor:
        return (latent @ a).view(-1, 3, 2, 2)

    fake = generator(Z)
    return Turn(
        real=torch.zeros(5, 3, 2, 2),
        fake=fake.detach() if player == "discriminator" else fake,
        critic=lambda x: x.flatten(1) @ w,
        latent=Z,
        generator=generator,
    )


def noise() -> Tensor:
    torch.manual_seed(7)
    return 0.5 * torch.randn_like(Z)


def test_the_discriminator_scores_neighbours_alike() -> None:
    """G(z) = zA, D(x) = xw: the difference of scores is -(noise A) w; no gradient reaches the generator."""
    moved, (a, w) = noise() @ A, (A.clone().requires_grad_(), W.clone().requires_grad_())
    torch.manual_seed(7)
    value = LatentConsistency(1.0, player="discriminator", deviation=0.5)(turn(a, w, "discriminator"))
    assert_close(value.detach(), (moved @ W).square().mean())
    value.backward()
    assert_close(w.grad, 2 * (moved * (moved @ W)[:, None]).mean(0))
    assert a.grad is None


def test_the_generator_keeps_neighbours_apart() -> None:
    """-E (noise A)^2 over pixels; by A: -2 noise^T noise A / (N pixels)."""
    shift, a = noise(), A.clone().requires_grad_()
    torch.manual_seed(7)
    value = LatentConsistency(1.0, player="generator", deviation=0.5)(turn(a, W, "generator"))
    assert_close(value.detach(), -(shift @ A).square().mean())
    value.backward()
    assert_close(a.grad, -2 * shift.T @ shift @ A / 60)


@pytest.mark.parametrize("deviation", [0.0, -1.0, float("inf")])
def test_the_deviation_is_checked(deviation: float) -> None:
    with pytest.raises(ValueError, match="deviation must be a positive number"):
        LatentConsistency(1.0, deviation=deviation)
