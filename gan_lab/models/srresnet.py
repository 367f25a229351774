"""SRResNet and the discriminator of SRGAN (Ledig et al. 2016, arXiv:1609.04802, figure 4).

Generator: a 9x9 convolution, residual blocks of two 3x3 convolutions with BatchNorm, a shortcut around all of them, a
sub-pixel convolution for every doubling, a 9x9 convolution to the image; PReLU with one slope a layer.
Discriminator: 3x3 convolutions with BatchNorm and LeakyReLU 0.2, in turn as wide as before with stride 2, and twice as
wide; a dense layer of 1024 and a score.

Deviations: images are in [0, 1] inside both ways, the paper's targets are in [-1, 1]. The paper has four strides for
crops of 96 pixels, here the image decides: they halve it down to a map of 4 to 7 pixels, at 96 to the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.unit_range import UnitRange
from gan_lab.layers.upscaling import scale_between, shuffled

LEAK, LARGEST = 0.2, 8  # of the discriminator: its slope, and how much wider its last map is than its first


class NormalisedBlock(nn.Module):
    """x + norm(conv(prelu(norm(conv(x))))), 3x3. Keeps (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.layers(features)
        return features + residual


class SRResNet(nn.Module):
    """(N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W)."""

    def __init__(self, channels: int, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(NormalisedBlock(width) for _ in range(blocks)))
        self.body_end = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.enlarge = shuffled(width, scale, nn.PReLU)
        self.to_image = nn.Conv2d(width, channels, 9, padding=4)

    def forward(self, images: Tensor) -> Tensor:
        shallow: Tensor = self.head(images)
        enlarged: Tensor = self.to_image(self.enlarge(shallow + self.body_end(self.blocks(shallow))))
        return enlarged


class Generator(UnitRange):
    """Images (N, C, H, W) in [-1, 1] to larger ones. The shapes say by how much: 1, 2, 3, 4 or 8, else ValueError."""

    def __init__(
        self, image_shape: Sequence[int], input_shape: Sequence[int], width: int = 64, blocks: int = 16
    ) -> None:
        scale = scale_between(input_shape, image_shape, (1, 2, 3, 4, 8))
        super().__init__(SRResNet(image_shape[0], scale, width, blocks))


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,). Raises ValueError for an image size that does not halve down to a map of 4 to
    7 pixels."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        halvings, rows, columns = first_map(image_shape)
        layers: list[nn.Module] = [nn.Conv2d(image_shape[0], width, 3, padding=1), nn.LeakyReLU(LEAK, inplace=True)]
        before = width
        for halving in range(halvings):
            after = width * min(2**halving, LARGEST)
            layers += [] if halving == 0 else _layer(before, after, stride=1)
            layers += _layer(after, after, stride=2)
            before = after
        self.layers = nn.Sequential(*layers)
        dense = 16 * width
        self.dense = nn.Sequential(nn.Linear(before * rows * columns, dense), nn.LeakyReLU(LEAK, inplace=True))
        self.to_score = nn.Linear(dense, 1)

    def forward(self, images: Tensor, condition: Any = None) -> Critique:
        features: Tensor = self.dense(self.layers(images).flatten(1))
        return Critique(self.to_score(features).squeeze(1), features)


def _layer(before: int, after: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, 3, stride=stride, padding=1)
    return [conv, nn.BatchNorm2d(after), nn.LeakyReLU(LEAK, inplace=True)]
