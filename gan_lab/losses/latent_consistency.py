"""Near latents: scored alike by the discriminator, kept apart by the generator (zCR-GAN)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_lab.losses.regularizers import Regularizer, Turn


class LatentConsistency(Regularizer):
    """Zhao et al. 2020 (arXiv:2002.04724), with T(z) = z + `deviation` * N(0, I).

    The discriminator pays E[(D(G(z)) - D(G(T(z))))^2], and no gradient reaches the generator (but through the steps of
    an unrolled discriminator). The generator pays -E[(G(z) - G(T(z)))^2], the mean over pixels and channels, so that it
    does not answer by ignoring its latent: that term is negative and falls no lower than -4 for images in [-1, 1]. T(z)
    is one more pass through the generator in training mode (BatchNorm statistics included). Raises ValueError for a
    `deviation` that is not positive.
    """

    def __init__(self, weight: float, every: int = 1, player: str = "discriminator", deviation: float = 0.03) -> None:
        super().__init__(weight, every)
        if not (math.isfinite(deviation) and deviation > 0):
            raise ValueError(f"deviation must be a positive number, not {deviation}")
        self.player = player
        self.deviation = deviation

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.generator is not None
        assert turn.latent is not None
        near = turn.latent + self.deviation * torch.randn_like(turn.latent)
        if self.player == "generator":
            return -(turn.fake - turn.generator(near)).square().mean()
        with torch.set_grad_enabled(turn.fake.requires_grad):  # it does in a supposed step of an unrolled game alone
            images = turn.generator(near)
        plain = turn.critic(turn.fake) if turn.fake_scores is None else turn.fake_scores
        return (plain - turn.critic(images)).square().mean()
