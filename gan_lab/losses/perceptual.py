"""What is made is to look to a network like what was wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.losses.distances import Distance
from gan_lab.losses.regularizers import Regularizer, Turn
from gan_lab.losses.style import gram

KEY = "loss.regularizers"
Maps = Mapping[str, Tensor]


class Perceptual(Regularizer):
    """The sum over `layers` of weight times `distance` between the maps that `network` gives of the two sides of a
    `pair` (Johnson et al. 2016, arXiv:1603.08155, equation 2; Ledig et al. 2016, arXiv:1609.04802, equation 5), and
    over `style_layers` the same between their Gram matrices (`gan_lab.losses.style`; equation 4 of the former).

    Maps are multiplied by `scale` before they are compared. `network` is called with the names of all layers and
    returns a module from images to maps by name, whose weights nothing moves: `gan_lab.layers.vgg.VGG`, where a name
    also says whether a map is taken before (`conv5_4`) or behind its ReLU (`relu5_4`). It computes in the precision
    that the round has, as discriminators do (of random weights bf16 changes `conv5_4`'s term by 0.1 %, and its gradient
    keeps a cosine of 0.9 with that of fp32); maps are compared in fp32. What was wanted carries no gradient. Paid by
    the generator. Raises ConfigError where no layer is named, and for layers that the network does not have.
    """

    player = "generator"

    def __init__(
        self,
        pair: str,
        network: Callable[[Sequence[str]], nn.Module],
        distance: Distance,
        layers: Mapping[str, float] | None = None,
        style_layers: Mapping[str, float] | None = None,
        scale: float = 1.0,
        weight: float = 1.0,
        every: int = 1,
    ) -> None:
        super().__init__(weight, every)
        self.pair = pair
        self.distance = distance
        self.layers, self.style_layers = _weights(layers, "layers"), _weights(style_layers, "style_layers")
        if not self.layers and not self.style_layers:
            raise ValueError("name the layers that are compared, and what each is worth: layers={conv5_4:1}")
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a positive number, not {scale}")
        self.scale = scale
        try:
            self.network = network(list(dict.fromkeys((*self.layers, *self.style_layers))))
        except GanLabError as error:
            said = str(error)
            raise type(error)(said if said.startswith(KEY) else f"{KEY}: network.{said}") from error

    def place(self, placed: Callable[[nn.Module], nn.Module]) -> None:
        self.network = placed(self.network)

    def __call__(self, turn: Turn) -> Tensor:
        if self.pair not in turn.pairs:
            has = ", ".join(turn.pairs) or "none"
            raise ConfigError(f"loss.regularizers: this turn has no pair {self.pair!r} (it has: {has})")
        return self.compare(*turn.pairs[self.pair])

    def compare(self, made: Tensor, wanted: Tensor) -> Tensor:
        """How far what was made looks from what was wanted."""
        found = self._maps(made)
        with torch.no_grad():
            meant = self._maps(wanted)
        terms = [weight * self.distance(found[name], meant[name]) for name, weight in self.layers.items()]
        terms += [
            weight * self.distance(gram(found[name]), gram(meant[name])) for name, weight in self.style_layers.items()
        ]
        return torch.stack(terms).sum()

    def _maps(self, images: Tensor) -> Maps:
        return {name: maps.float() * self.scale for name, maps in self.network(images.float()).items()}


def _weights(layers: Mapping[str, float] | None, key: str) -> dict[str, float]:
    """Those above 0: what is worth nothing is not computed. Raises ValueError for what is no weight."""
    given = dict(layers or {})
    for name, weight in given.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise ValueError(f"{key}.{name}: {weight!r} is not a number of at least 0")
    return {name: float(weight) for name, weight in given.items() if weight}
