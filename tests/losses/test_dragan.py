"""The penalty around real images, on critics whose gradients are known."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.losses.dragan import DRAGAN
from gan_lab.losses.regularizers import Turn

REAL = torch.randn(6, 2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_linear_critic() -> None:
    """D(x) = w.x: (||w|| - 1)^2, by w: 2 (||w|| - 1) w / ||w||."""
    w = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    penalty = DRAGAN()(Turn(real=REAL, fake=REAL, critic=lambda x: (x * w).flatten(1).sum(1)))
    norm = w.detach().norm()
    assert_close(penalty.detach(), (norm - 1) ** 2)
    assert_close(torch.autograd.grad(penalty, w)[0], 2 * (norm - 1) * w.detach() / norm)


def test_every_samples_norm_counts_alike() -> None:
    """D(x_i) = c_i sum(x): norms c_i sqrt(24)."""
    scale = torch.arange(6, dtype=torch.float64)
    penalty = DRAGAN()(Turn(real=REAL, fake=REAL, critic=lambda x: scale * x.flatten(1).sum(1)))
    assert_close(penalty, (scale * 24**0.5 - 1).square().mean())


def test_where_the_critic_is_asked() -> None:
    """Beside the real images: alpha_i * 0.5 * std * U, the same as drawn again from the same seed."""
    seen: list[Tensor] = []

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    torch.manual_seed(3)
    DRAGAN()(Turn(real=REAL, fake=REAL * float("nan"), critic=critic))
    torch.manual_seed(3)
    alpha, uniform = torch.rand(6, 1, 1, 1, dtype=torch.float64), torch.rand_like(REAL)
    std = (REAL - REAL.mean()).square().mean().sqrt()
    assert_close(seen[0], REAL + alpha * 0.5 * std * uniform)
    assert not REAL.requires_grad


def test_settings() -> None:
    assert (DRAGAN().weight, DRAGAN().every, DRAGAN().player) == (10.0, 1, "discriminator")
