"""One generator against several discriminators (GMAN, Durugkar et al. 2016, arXiv:1611.01673)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.losses.adversarial import AdversarialLoss

AGGREGATES = ("mean", "max", "softmax")


class SeveralDiscriminators(AdversarialLoss):
    """Plays the loss that `build()` makes on every slice of scores (N, ..., K), one slice for each discriminator.

    The discriminators' losses are averaged: each has its own weights, so this divides every gradient by K and nothing
    else. The generator's K losses become one by `aggregate`: `mean`, `max` (the harshest critic, section 3), or
    `softmax` (section 4.1), the mean with weights proportional to exp(temperature * loss), where `temperature` is the
    paper's lambda: 0 is the mean, infinity the maximum. The weights carry gradient, as a function of the
    losses. Raises ValueError for another `aggregate` and for a `temperature` that is negative or infinite.
    """

    def __init__(self, build: Callable[[], AdversarialLoss], aggregate: str = "mean", temperature: float = 1.0) -> None:
        if aggregate not in AGGREGATES:
            raise ValueError(f"aggregate must be one of {', '.join(AGGREGATES)}, not {aggregate!r}")
        if not (math.isfinite(temperature) and temperature >= 0):
            raise ValueError(f"temperature must be a finite number of at least 0, not {temperature}")
        self.inner = build()
        self.needs_real, self.pays_generator = self.inner.needs_real, self.inner.pays_generator  # type: ignore[misc]
        self.aggregate = aggregate
        self.temperature = temperature

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        pairs = zip(_slices(real), _slices(fake), strict=True)
        return torch.stack([self.inner.discriminator(*pair) for pair in pairs]).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        fakes = _slices(fake)
        reals = [None] * len(fakes) if real is None else _slices(real)
        losses = torch.stack([self.inner.generator(*pair) for pair in zip(fakes, reals, strict=True)])  # (K,)
        if self.aggregate == "mean":
            return losses.mean()
        losses = world().mean(losses)  # the weights are those of the whole batch
        if self.aggregate == "max":
            return losses.max()
        return ((self.temperature * losses).softmax(0) * losses).sum()


def _slices(scores: Tensor) -> tuple[Tensor, ...]:
    if scores.dim() < 2:
        raise ValueError(f"several discriminators give scores (N, ..., K), not {tuple(scores.shape)}")
    return scores.unbind(-1)
