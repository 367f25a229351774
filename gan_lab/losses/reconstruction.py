"""What was made is to be what was wanted: pixel losses, cycle consistency, identity."""

from __future__ import annotations

from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.losses.distances import Distance
from gan_lab.losses.regularizers import Regularizer, Turn


class Reconstruction(Regularizer):
    """`distance` between the two sides of a `pair` of the turn, which the game names.

    `target`: a generated image and the one of the data (Isola et al. 2016, arXiv:1611.07004, lambda 100). `cycle`: an
    image that went there and back and itself (Zhu et al. 2017, arXiv:1703.10593, equation 2, lambda 10). `identity`:
    an image of the wanted side, translated, and itself (section 5.2 there, half of lambda). A game that has no such
    pair refuses it before the first round. Paid by the generator.
    """

    player = "generator"

    def __init__(self, pair: str, distance: Distance, weight: float, every: int = 1) -> None:
        super().__init__(weight, every)
        self.pair = pair
        self.distance = distance

    def __call__(self, turn: Turn) -> Tensor:
        if self.pair not in turn.pairs:
            has = ", ".join(turn.pairs) or "none"
            raise ConfigError(f"loss.regularizers: this turn has no pair {self.pair!r} (it has: {has})")
        made, wanted = turn.pairs[self.pair]
        return self.distance(made.float(), wanted.float())
