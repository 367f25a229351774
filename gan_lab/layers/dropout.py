"""Dropout whose mask costs a CPU a few random bits per number."""

from __future__ import annotations

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


def _bits(features: Tensor) -> Tensor:
    """16 random bits for each place, int16. Several processes draw those of the whole batch and keep their own."""
    together = world()
    ranks = together.size if together.size > 1 and together.blocks(len(features)) else 1
    places = features.numel() * ranks
    draws = torch.empty((places + 3) // 4, dtype=torch.int64)
    draws.random_(-(2**63), None, generator=torch.default_generator)  # named: nobody else shares them out
    bits = draws.view(torch.int16)[:places]
    return bits.view(features.shape) if ranks == 1 else together.share(bits.view(-1, *features.shape[1:]))
