"""What keeps the clouds of conditioning augmentation from shrinking to points."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Regularizer, Turn


class Conditioning(Regularizer):
    """E[KL(N(mu(t), sigma(t)^2) || N(0, 1))], in nats, the mean over the numbers of an embedding (StackGAN, Zhang et
    al. 2016, arXiv:1612.03242, equation 2). The generator pays. Raises ConfigError for a generator without conditioning
    augmentation (`technique=[conditioning_augmentation]`)."""

    player = "generator"

    def __init__(self, weight: float = 1.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        distribution = getattr(getattr(turn.mover, "encoder", None), "distribution", None)
        if distribution is None or turn.condition is None:
            raise ConfigError(
                "loss.regularizers: this generator has no conditioning augmentation to keep near N(0, 1); "
                "+technique=[conditioning_augmentation] adds it to model=gan_cls"
            )
        return divergence(*distribution(turn.condition)).mean()


def divergence(mean: Tensor, log_deviation: Tensor) -> Tensor:
    """KL(N(mean, deviation^2) || N(0, 1)), number by number."""
    return 0.5 * (mean.square() + torch.exp(2 * log_deviation) - 1) - log_deviation
