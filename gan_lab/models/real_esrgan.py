"""The discriminator of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.3): a U-Net with spectral norm.

A 3x3 convolution; three 4x4 with stride 2, to 8 times the width; three times bilinear enlargement and a 3x3
convolution, plus the map that was so large on the way down; three 3x3 convolutions to a score for every pixel.
LeakyReLU 0.2.
Spectral norm and no bias everywhere but in the first and the last. Its generator is that of `rrdb`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.spectral_norm import spectral_norm

LEAK = 0.2
STRIDE = 8  # of its smallest map


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N, 1, H, W). Raises ValueError for sides that are no multiples of 8."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        channels, height, columns = image_shape
        if height % STRIDE or columns % STRIDE:
            raise ValueError(f"image_shape {channels}x{height}x{columns}: both sides must be multiples of {STRIDE}")
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(width * 2**i, width * 2 ** (i + 1), 4, 2, 1, bias=False)) for i in range(3)
        )
        self.up = nn.ModuleList(_conv(width * 2 ** (i + 1), width * 2**i) for i in (2, 1, 0))
        self.end = nn.ModuleList(_conv(width, width) for _ in range(2))
        self.to_score = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, images: Tensor, condition: Any = None) -> Critique:
        maps = [leaky_relu(self.first(images), LEAK)]
        for layer in self.down:
            maps.append(leaky_relu(layer(maps[-1]), LEAK))
        features = maps.pop()
        for layer in self.up:
            enlarged = interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = leaky_relu(layer(enlarged), LEAK) + maps.pop()
        for layer in self.end:
            features = leaky_relu(layer(features), LEAK)
        return Critique(self.to_score(features))


def _conv(before: int, after: int) -> nn.Conv2d:
    return spectral_norm(nn.Conv2d(before, after, 3, padding=1, bias=False))
