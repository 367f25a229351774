"""Scores that do not wander off (Karras et al. 2017, arXiv:1710.10196, appendix A.1)."""

from __future__ import annotations

from torch import Tensor

from gan_lab.losses.regularizers import Regularizer, Turn


class Drift(Regularizer):
    """E[D(x)^2] on real images: the Wasserstein loss does not ask where zero is. The paper's weight is 0.001."""

    def __init__(self, weight: float = 0.001, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.real_scores is not None, "the discriminator's turn has the scores of real images"
        return turn.real_scores.square().mean()
