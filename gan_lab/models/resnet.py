"""The residual networks of WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028, the CIFAR-10 ResNet of the appendix).

Pre-activation residual blocks of two 3x3 convolutions, ReLU, `width` channels everywhere (the paper: 128); nearest-
neighbour upsampling and mean pooling; BatchNorm in the generator, none in the critic; a mean over the last map and
a linear score. Weights as in the authors' code: Glorot uniform, times sqrt(2) in the blocks' 3x3
convolutions; biases 0.

The paper's nets are for 32 pixels: three upsampling blocks; two downsampling blocks, then two plain ones. Here the
image decides: one upsampling block per doubling, one downsampling block fewer than that, and the same two plain ones.
Deviations: 1x1 shortcuts are convolved at the lower resolution (they commute with resampling: the same function for
a quarter of the work).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.projection import Projection, Score


class UpBlock(nn.Module):
    """BatchNorm, ReLU, double, convolve; BatchNorm, ReLU, convolve; plus the doubled shortcut. (N, C, 2H, 2W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.conv1, self.conv2 = _conv3x3(width, width), _conv3x3(width, width)
        self.shortcut = _conv1x1(width, width)

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.conv1(_double(relu(self.norm1(features), inplace=True)))
        residual = self.conv2(relu(self.norm2(residual), inplace=True))
        return residual + _double(self.shortcut(features))


class InputBlock(nn.Module):
    """The critic's first block: no activation on the image itself. (N, width, H/2, W/2)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv3x3(channels, width), _conv3x3(width, width)
        self.shortcut = _conv1x1(channels, width)

    def forward(self, images: Tensor) -> Tensor:
        residual: Tensor = self.conv2(relu(self.conv1(images), inplace=True))
        shortcut: Tensor = self.shortcut(avg_pool2d(images, 2))
        return avg_pool2d(residual, 2) + shortcut


class CriticBlock(nn.Module):
    """ReLU, convolve; ReLU, convolve; plus the shortcut. Halves the resolution if `down`, else (N, C, H, W)."""

    def __init__(self, width: int, down: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv3x3(width, width), _conv3x3(width, width)
        self.shortcut = _conv1x1(width, width) if down else None

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.conv2(relu(self.conv1(relu(features)), inplace=True))
        if self.shortcut is None:
            return features + residual
        shortcut: Tensor = self.shortcut(avg_pool2d(features, 2))
        return avg_pool2d(residual, 2) + shortcut


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1].

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 128) -> None:
        super().__init__()
        blocks, rows, columns = first_map(image_shape)
        self.project = Projection(latent_dim, width, rows, columns, bias=True)
        _initialise(self.project, gain=1.0)
        self.blocks = nn.Sequential(*(UpBlock(width) for _ in range(blocks)))
        self.norm = nn.BatchNorm2d(width)
        self.to_image = _conv3x3(width, image_shape[0], gain=1.0)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`. The first map goes to a BatchNorm and past it: nothing is folded."""
        return [self.project.weight]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        features = self.blocks(self.project(latent))
        images: Tensor = self.to_image(relu(self.norm(features), inplace=True))
        return images.tanh()


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,), without normalisation: every sample is scored on its own."""

    def __init__(self, image_shape: Sequence[int], width: int = 128) -> None:
        super().__init__()
        halvings = max(first_map(image_shape).blocks - 1, 1)
        self.blocks = nn.Sequential(
            InputBlock(image_shape[0], width),
            *(CriticBlock(width, down=True) for _ in range(halvings - 1)),
            *(CriticBlock(width, down=False) for _ in range(2)),
        )
        self.to_score = Score(width)
        _initialise(self.to_score, gain=1.0)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features = relu(self.blocks(images)).mean((2, 3))
        return Critique(self.to_score(features), features)


def _double(features: Tensor) -> Tensor:
    return interpolate(features, scale_factor=2.0, mode="nearest")


def _conv3x3(channels: int, width: int, gain: float = math.sqrt(2.0)) -> nn.Conv2d:
    conv = nn.Conv2d(channels, width, 3, padding=1)
    _initialise(conv, gain)
    return conv


def _conv1x1(channels: int, width: int) -> nn.Conv2d:
    conv = nn.Conv2d(channels, width, 1)
    _initialise(conv, gain=1.0)
    return conv


def _initialise(layer: nn.Conv2d | nn.Linear, gain: float) -> None:
    nn.init.xavier_uniform_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
