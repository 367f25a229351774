"""Noise that a generator adds to its maps, for what is chance in an image (Karras et al. 2018, arXiv:1812.04948)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

KINDS = ("random", "const", "none")


class Noise(nn.Module):
    """Maps (N, C, H, W) plus one picture of N(0, 1) a sample, the same in all channels, times a learned strength that
    starts at 0: one number, or with `channels` one for each.

    `kind` "random": drawn anew in training; in evaluation, where a latent is to make one image, a picture that is
    stored with the weights. "const": that picture always; "none": nothing is added. Raises ValueError for another one.
    """

    draws = True  # random numbers, which are to be the same where a block is computed again
    picture: Tensor

    def __init__(self, rows: int, columns: int, kind: str = "random", channels: int | None = None) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"noise must be one of {', '.join(KINDS)}, not {kind!r}")
        self.kind = kind
        if kind != "none":
            self.strength = nn.Parameter(torch.zeros(() if channels is None else (channels, 1, 1)))
            self.register_buffer("picture", torch.randn(rows, columns))

    def forward(self, maps: Tensor, gain: float = 1.0) -> Tensor:
        """`gain`: of the activation that follows. Adds in place where that is nobody's loss."""
        if self.kind == "none":
            return maps
        drawn = self.picture
        if self.kind == "random" and self.training:
            drawn = torch.randn(len(maps), 1, *maps.shape[2:], device=maps.device, dtype=self.picture.dtype)
        return maps.add_((drawn * (self.strength * gain)).to(maps.dtype))
