"""The pictures of noise in a generator with styles, as something that a projection may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan_lab.layers.noise import Noise

SMALLEST = 8  # pixels of the coarsest scale at which maps may not resemble themselves


class NoiseMaps:
    """A map `(n, 1, H, W)` for each of the network's parts that add noise, each image with its own. They begin as the
    pictures that the network has: what is projected then needs as little of them as can be. (Karras et al. 2019,
    arXiv:1912.04958, appendix D, begin at random.)"""

    def __init__(self, network: nn.Module, n: int) -> None:
        parts = {
            name: part for name, part in network.named_modules() if isinstance(part, Noise) and part.kind != "none"
        }
        self.parts = parts
        self.maps = {
            name: part.picture.detach().expand(n, 1, *part.picture.shape).clone().requires_grad_(True)
            for name, part in parts.items()
        }

    @classmethod
    def none(cls) -> NoiseMaps:
        """No maps: the network adds what it has."""
        return cls(nn.Identity(), 0)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the network adds these."""
        before = {name: part.picture for name, part in self.parts.items()}
        try:
            for name, part in self.parts.items():
                part.picture = self.maps[name]
            yield
        finally:
            for name, part in self.parts.items():
                part.picture = before[name]

    def penalty(self) -> Tensor:
        """`(n,)`: see `resemblance`; a 0 without maps."""
        found = [resemblance(each) for each in self.maps.values()]
        return torch.stack(found).sum(0) if found else torch.zeros(())

    @torch.no_grad()
    def normalise(self) -> None:
        """Every map to mean 0 and variance 1."""
        for each in self.maps.values():
            each -= each.mean((2, 3), keepdim=True)
            each *= each.square().mean((2, 3), keepdim=True).clamp(min=1e-12).rsqrt()


def resemblance(maps: Tensor) -> Tensor:
    """Maps `(n, 1, H, W)` to `(n,)`: the squared autocorrelation with neighbours to the right and below, which is 0 on
    average of white noise, summed over the map and its halves down to 8 pixels, whose values are doubled to keep their
    variance. Without it the image would be drawn into the maps (appendix D)."""
    found = maps.new_zeros(len(maps))
    while True:
        for axis in (2, 3):
            found = found + (maps * maps.roll(1, axis)).mean((1, 2, 3)).square()
        if min(maps.shape[2:]) <= SMALLEST:
            return found
        maps = 2 * avg_pool2d(maps, 2)
