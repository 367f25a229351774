"""What is made of an image shows at every place what the image shows there: CUT, Park et al. 2020, arXiv:2007.15651."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Regularizer, Turn


class PatchNCE(Regularizer):
    """The mean of `contrast` over the maps of an encoder, of a `pair` of the turn, which the game names (equation 4).

    `source`: a generated image and what it was made from. `identity`: an image of the wanted side, translated, and
    itself (the second term of equation 5). Paid by the generator, to which the encoder and its projections belong.
    """

    player = "generator"
    patches: ClassVar[bool] = True

    def __init__(self, pair: str, weight: float = 1.0, every: int = 1, temperature: float = 0.07) -> None:
        super().__init__(weight, every)
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature must be a positive number, not {temperature}")
        self.pair, self.temperature = pair, temperature

    def __call__(self, turn: Turn) -> Tensor:
        if self.pair not in turn.patches:
            raise ConfigError(
                f"loss.regularizers: patches of the pair {self.pair!r} are compared by games whose generator encodes "
                "what it makes (model=cut)"
            )
        return torch.stack([contrast(made, given, self.temperature) for made, given in turn.patches[self.pair]]).mean()


def contrast(made: Tensor, given: Tensor, temperature: float) -> Tensor:
    """-log [exp(v v+ / t) / (exp(v v+ / t) + sum exp(v v- / t))], the mean over images and places (equation 3).

    `made` and `given` are unit vectors `(N, P, D)` at the same places. v is one of `made`; v+ the vector of `given` at
    its place and v- those at the other places of the same image. No gradient passes to `given`. The authors' code adds
    exp(-10 / t) to the sum, 1e-62, which no float holds beside the rest.
    """
    with torch.autocast(made.device.type, enabled=False):  # a hundredth of 1 / t counts
        likeness = made.float() @ given.detach().float().transpose(1, 2) / temperature  # (N, P, P): of which, to which
    place = torch.arange(likeness.shape[2], device=made.device)
    return cross_entropy(likeness.flatten(0, 1), place.repeat(len(likeness)))
