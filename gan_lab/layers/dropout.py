"""Dropout whose mask costs a CPU a few random bits per number, and dropout that goes on in use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from gan_lab.distributed.world import world


class Dropout(nn.Dropout):
    """Sets each number to 0 with probability `p` and divides the others by 1 - p (arXiv:1207.0580).

    torch draws a random number for each place, one after the other, which took a sixth of the time of a small
    multilayer perceptron's round. Here, on a CPU, 16 random bits decide a place, four places a draw: p is rounded to
    a multiple of 2^-16, and it is that p which the others are divided by. Elsewhere it is torch's own.
    """

    def forward(self, features: Tensor) -> Tensor:
        if not self.training or features.device.type != "cpu":
            return super().forward(features)
        dropped = round(self.p * 2**16)
        kept = _bits(features) >= dropped - 2**15
        return features * (kept.to(features.dtype) * (2**16 / (2**16 - dropped) if dropped < 2**16 else 0.0))


class UseDropout(Dropout):
    """Dropout that goes on in use, where it is a generator's only noise (Isola et al. 2016, arXiv:1611.07004, section
    3.2). In evaluation mode nothing is dropped but inside of `drawing`, which says what each image draws."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.random: Sequence[torch.Generator] = ()

    def forward(self, features: Tensor) -> Tensor:
        if self.training or not self.random or not self.p:
            return super().forward(features)
        assert len(self.random) == len(features), "one generator for each image"
        kept = torch.stack([torch.rand(features.shape[1:], generator=each) >= self.p for each in self.random])
        return features * (kept.to(features.device, features.dtype) / (1 - self.p) if self.p < 1 else 0.0)


@contextlib.contextmanager
def drawing(network: nn.Module, random: Sequence[torch.Generator]) -> Iterator[None]:
    """In here the `UseDropout` of a network in evaluation mode drops, by one generator (on the CPU, so that devices
    agree) for each image that it is given."""
    layers = [module for module in network.modules() if isinstance(module, UseDropout)]
    try:
        for layer in layers:
            layer.random = random
        yield
    finally:
        for layer in layers:
            layer.random = ()


def _bits(features: Tensor) -> Tensor:
    """16 random bits for each place, int16. Several processes draw those of the whole batch and keep their own."""
    together = world()
    ranks = together.size if together.size > 1 and together.blocks(len(features)) else 1
    places = features.numel() * ranks
    draws = torch.empty((places + 3) // 4, dtype=torch.int64)
    draws.random_(-(2**63), None, generator=torch.default_generator)  # named: nobody else shares them out
    bits = draws.view(torch.int16)[:places]
    return bits.view(features.shape) if ranks == 1 else together.share(bits.view(-1, *features.shape[1:]))
