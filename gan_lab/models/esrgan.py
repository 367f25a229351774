"""The discriminator of ESRGAN (Wang et al. 2018, arXiv:1809.00219; VGGStyleDiscriminator in the authors' BasicSR).

Pairs of convolutions, 3x3 and then 4x4 with stride 2, twice as wide from pair to pair and at most 8 times; BatchNorm
after all but the first, LeakyReLU 0.2; a dense layer of 100 and a score. At 128 pixels five pairs, at 256 six, as
published; here the image decides: they halve it down to a map of 4 to 7 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map

LEAK, WIDEST, DENSE = 0.2, 8, 100


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,). Raises ValueError for an image size that does not halve down to a map of 4 to
    7 pixels."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        halvings, rows, columns = first_map(image_shape)
        layers: list[nn.Module] = []
        before = image_shape[0]
        for halving in range(halvings):
            after = width * min(2**halving, WIDEST)
            layers += _normalised(before, after, 3, 1) if halving else [nn.Conv2d(before, after, 3, 1, 1), _leaky()]
            layers += _normalised(after, after, 4, 2)
            before = after
        self.layers = nn.Sequential(*layers)
        self.dense = nn.Sequential(nn.Linear(before * rows * columns, DENSE), _leaky())
        self.to_score = nn.Linear(DENSE, 1)

    def forward(self, images: Tensor, condition: Any = None) -> Critique:
        features: Tensor = self.dense(self.layers(images).flatten(1))
        return Critique(self.to_score(features).squeeze(1), features)


def _normalised(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, size, stride, 1, bias=False), nn.BatchNorm2d(after), _leaky()]


def _leaky() -> nn.Module:
    return nn.LeakyReLU(LEAK, inplace=True)
