"""A small change that no judgement should depend on: mirrored or not, and moved by a few pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FlipAndShift(nn.Module):
    """Images (N, C, H, W) to images: each flipped left to right with probability 1/2, then shifted along both axes by a
    whole number of pixels from -`pixels` to `pixels`, all equally likely; what comes in at an edge is the reflection.

    The transformation of Zhang et al. 2019 (arXiv:1910.12027) for CIFAR-10 and CelebA, whose padding the paper does not
    name (StudioGAN's is zeros). Drawn for every
    sample; differentiable by the images. An image is never shifted by its whole side. Raises ValueError for `pixels`
    below 0.
    """

    def __init__(self, pixels: int = 4) -> None:
        super().__init__()
        if pixels < 0:
            raise ValueError(f"pixels must be at least 0, not {pixels}")
        self.pixels = pixels

    def forward(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        flip = torch.rand(n, 1, device=images.device) < 0.5
        rows, columns = self._source(n, height, images.device), self._source(n, width, images.device)
        columns = torch.where(flip, width - 1 - columns, columns)
        sample = torch.arange(n, device=images.device)[:, None, None]
        return images.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def _source(self, n: int, side: int, device: torch.device) -> Tensor:
        """Where each line of a shifted side comes from, (n, side)."""
        most = min(self.pixels, side - 1)
        shift = torch.randint(-most, most + 1, (n, 1), device=device)
        place = (torch.arange(side, device=device) - shift).abs()
        return (side - 1) - ((side - 1) - place).abs()
