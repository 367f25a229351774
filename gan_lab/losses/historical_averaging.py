"""A player that stays near its own past, so that the game does not go in circles (Salimans et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.losses.memory import Remembering
from gan_lab.losses.regularizers import Turn


class HistoricalAveraging(Remembering):
    """||theta - 1/t sum_i theta[i]||^2 over all weights of `player` (arXiv:1606.03498, section 3.3).

    theta[i] are the weights in the past t turns in which this was asked; they enter by a running mean, each with the
    same share. In the first turn there is no past, and the term is 0. Where batches are accumulated a turn is a piece.
    The paper names no weight. 0.1 is ours: after 600 rounds of a small DCGAN on digits the pull was then a sixteenth of
    the generator's gradient.
    """

    def __init__(self, weight: float = 0.1, every: int = 1, player: str = "discriminator") -> None:
        super().__init__(weight, every)
        self.player = player

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.mover is not None
        weights = {name: p for name, p in turn.mover.named_parameters() if p.requires_grad}
        means = {name: self.remembered(f"mean.{name}", weight, turn) for name, weight in weights.items()}
        distance = torch.stack([(weight - means[name]).square().sum() for name, weight in weights.items()]).sum()
        turns = self.remembered("turns", distance.new_zeros(()), turn)
        turns += 1
        with torch.no_grad():
            for name, weight in weights.items():
                means[name].lerp_(weight, (1.0 / turns).to(weight.dtype))
        return distance
