"""The matching-aware gradient penalty: smooth around real images with the words that belong to them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.layers.higher_order import twice_differentiable
from gan_lab.losses.regularizers import Regularizer, Turn


class MatchingAware(Regularizer):
    """E[||(grad_x D(x, e), grad_e D(x, e))||^p] over real images x with the embeddings e of their own captions: weight
    2 and p 6 in DF-GAN (Tao et al. 2020, arXiv:2008.05865, equation 3).

    Both gradients are one vector for each sample. The embedding is held fast, as that of a frozen encoder would be: the
    penalty moves whatever comes after it. Deviation: the paper adds up two norms, the authors' published runs take that
    of both together. Raises ConfigError where the discriminator is told nothing that has a gradient.
    """

    def __init__(self, weight: float = 2.0, every: int = 1, power: float = 6.0) -> None:
        super().__init__(weight, every)
        if not (math.isfinite(power) and power >= 2):
            raise ValueError(f"power must be a finite number of at least 2, not {power}")
        self.power = power

    def __call__(self, turn: Turn) -> Tensor:
        images = turn.real.detach().requires_grad_()
        told = self.told(turn).detach().float().requires_grad_()
        with twice_differentiable():
            scores = turn.critic(images, told)
            total = scores.reshape(len(scores), -1).mean(1).sum()
            by_image, by_text = torch.autograd.grad(total, (images, told), create_graph=True, allow_unused=True)
        if by_text is None:
            raise ConfigError("loss.regularizers: a matching-aware penalty needs a discriminator that is told captions")
        squared = by_image.square().flatten(1).sum(1) + by_text.square().flatten(1).sum(1)
        return (squared ** (self.power / 2)).mean()

    def told(self, turn: Turn) -> Tensor:
        """The condition as floats: an embedding of it, where it is made of tokens."""
        if turn.condition is None:
            raise ConfigError("loss.regularizers: a matching-aware penalty needs a discriminator that is told captions")
        if turn.condition.is_floating_point():
            return turn.condition
        if turn.embed is None:
            raise ConfigError(
                "loss.regularizers: a matching-aware penalty needs a discriminator that embeds captions (model=dfgan)"
            )
        return turn.embed(turn.condition)
