"""Scores held near the other side's average: training on little data (Tseng et al. 2021, arXiv:2104.03310)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import relu

from gan_lab.distributed.world import world
from gan_lab.losses.memory import Remembering
from gan_lab.losses.regularizers import Turn


class LeCam(Remembering):
    """E[(D(x) - a_fake)^2] + E[(D(G(z)) - a_real)^2], where a_real and a_fake are moving averages of the scores.

    R_LC of the paper. `decay` is that of the averages: 0.99 in the paper, 0.9 in the authors' code. They start as the
    means of the first turn. (The authors begin after 1,000 rounds, and until then have the latest means for averages:
    `begin`, which every regularizer has, is the same but for a hundredth of one mean.) For `start` turns of the
    discriminator the term is 0 and the averages are the latest means; a turn is a piece of a batch where batches are
    accumulated, and runs up to 0.5 counted by it. With `one_sided`, also as in that code, a score costs nothing beyond
    the average: relu(D(x) - a_fake)
    and relu(a_real - D(G(z))). Raises ValueError for a `decay` outside [0, 1) and for `start` below 0.
    """

    def __init__(
        self,
        weight: float = 0.3,
        every: int = 1,
        decay: float = 0.99,
        start: int = 0,
        one_sided: bool = False,
    ) -> None:
        super().__init__(weight, every)
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay must lie in [0, 1), not {decay}")
        if start < 0:
            raise ValueError(f"start must be at least 0, not {start}")
        self.decay = decay
        self.start = start
        self.one_sided = one_sided

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = turn.real_scores, turn.fake_scores
        assert real is not None
        assert fake is not None
        turns = self.remembered("turns", torch.zeros((), dtype=torch.int64, device=real.device), turn)
        newcomer = 1.0 - self.decay * (turns >= max(self.start, 1)).to(real.dtype)  # 1: the average is the newest mean
        means = {name: world().mean(scores.detach().mean()) for name, scores in (("real", real), ("fake", fake))}
        on_real, on_fake = (self.remembered(name, mean, turn).lerp_(mean, newcomer) for name, mean in means.items())
        started = (turns >= self.start).to(real.dtype)
        turns += 1
        above, below = real - on_fake, on_real - fake
        if self.one_sided:
            above, below = relu(above), relu(below)
        return started * (above.square().mean() + below.square().mean())
