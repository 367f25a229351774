"""R3GAN (Huang et al. 2024, arXiv:2501.05441, config E): a ResNet of the ResNeXt kind on both sides, no normalisation.

A stage per resolution: a transition, then two residual blocks (1x1 convolution to twice the channels, LeakyReLU 0.2,
grouped 3x3 convolution with 16 channels a group, LeakyReLU, 1x1 convolution back). Between stages bilinear resampling
and, where the width changes, a 1x1 convolution at the lower resolution. The generator's first map is a learned basis,
one 4x4 picture per channel, times a linear layer of the latent; the discriminator's last layers mirror it: a depthwise
4x4 convolution without padding (here a product and a sum) and a linear layer. 1x1 convolutions from and to the image.
Fix-up initialisation (arXiv:1901.09321): the last convolution of a block starts at 0, so that a block starts as the
identity; the other two are scaled by L^(-1/4) for L blocks. Biases, first 0, only in front of the activations.

With classes: a learned vector continues the generator's latent; the discriminator's linear layer has `width` outputs,
and the score is their product with the vector of the class (arXiv:1802.05637, without an unconditional part).

`width` channels in the first four stages from 4 pixels on, then half as many per stage: 768 gives the authors'
networks for CIFAR-10, FFHQ-64 and FFHQ-256. Widths that 16 does not divide get groups a little larger. Deviations: Tanh
at the output, which is linear in the authors' code, for images in [-1, 1]; fp32 or bf16 throughout, as `precision`
says, where they mix both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.fir import Downsample, Upsample
from gan_lab.layers.first_map import first_map
from gan_lab.layers.labels import LabelTable, require_label

LEAK = 0.2
EXPANSION, GROUP = 2, 16  # channels inside a block per channel outside; channels of a group
FULL = 4  # stages of the full width

LayerT = TypeVar("LayerT", nn.Conv2d, nn.Linear, nn.Embedding)


class Block(nn.Module):
    """x + f(x), f an inverted bottleneck around a grouped convolution. Keeps (N, C, H, W); `depth`: all blocks."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inside = EXPANSION * channels
        gain = math.sqrt(2 / (1 + LEAK**2)) * depth**-0.25
        self.layers = nn.Sequential(
            _conv(channels, inside, 1, gain, bias=True),
            nn.LeakyReLU(LEAK, inplace=True),
            _conv(inside, inside, 3, gain, bias=True, groups=groups(inside)),
            nn.LeakyReLU(LEAK, inplace=True),
            _conv(inside, channels, 1, gain=0.0),
        )

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.layers(features)
        return features + residual


class Basis(nn.Module):
    """Latent (N, D) to the first map (N, C, H, W): a learned picture per channel, times a number from the latent."""

    def __init__(self, latent_dim: int, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.pictures = nn.Parameter(torch.randn(height, width, channels))  # so the map comes out in channels_last
        self.amounts = _initialised(nn.Linear(latent_dim, channels, bias=False))

    def forward(self, latent: Tensor) -> Tensor:
        amounts: Tensor = self.amounts(latent)
        return (self.pictures * amounts[:, None, None]).permute(0, 3, 1, 2)


class Generator(nn.Module):
    """Latent (N, D) and labels (N,), if there are classes, to images (N, C, H, W) in [-1, 1].

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, for `width` or
    `blocks` (residual blocks a stage) below 1, and when called without labels that it needs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 768,
        num_classes: int | None = None,
        blocks: int = 2,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        doublings, rows, columns = first_map(image_shape)
        channels = stages(doublings + 1, width, blocks)
        depth = blocks * len(channels)
        self.latent_dim = latent_dim
        if self.num_classes:
            self.of_label = _initialised(LabelTable(self.num_classes, latent_dim))
            latent_dim *= 2
        self.basis = Basis(latent_dim, channels[0], rows, columns)
        layers: list[nn.Module] = [Block(channels[0], depth) for _ in range(blocks)]
        for before, after in pairwise(channels):
            layers += [*_narrow(before, after), Upsample(), *(Block(after, depth) for _ in range(blocks))]
        self.layers = nn.Sequential(*layers)
        self.to_image = _conv(channels[-1], image_shape[0], 1)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        amounts = self.basis.amounts.weight[:, : self.latent_dim]
        return [(self.basis.pictures.flatten(0, 1)[..., None] * amounts).flatten(0, 1)]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        if label is not None:
            latent = torch.cat([latent, self.of_label(label)], 1)
        images: Tensor = self.to_image(self.layers(self.basis(latent)))
        return images.tanh()


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,), if there are classes, to scores (N,). Raises ValueError as the generator."""

    def __init__(
        self, image_shape: Sequence[int], width: int = 768, num_classes: int | None = None, blocks: int = 2
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        halvings, rows, columns = first_map(image_shape)
        channels = stages(halvings + 1, width, blocks)[::-1]
        depth = blocks * len(channels)
        self.of_image = _conv(image_shape[0], channels[0], 1)
        layers: list[nn.Module] = [Block(channels[0], depth) for _ in range(blocks)]
        for before, after in pairwise(channels):
            layers += [Downsample(), *_narrow(before, after), *(Block(after, depth) for _ in range(blocks))]
        self.layers = nn.Sequential(*layers)
        last = channels[-1]
        self.pictures = nn.Parameter(torch.randn(rows, columns, last) / math.sqrt(rows * columns))
        self.to_score = _initialised(nn.Linear(last, width if self.num_classes else 1, bias=False))
        if self.num_classes:
            self.of_label = _initialised(LabelTable(self.num_classes, width), gain=width**-0.5)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = require_label(label, self.num_classes)
        last: Tensor = self.layers(self.of_image(images))  # (N, C, H, W)
        features = (last * self.pictures.permute(2, 0, 1)).sum((2, 3))  # (N, C)
        scores: Tensor = self.to_score(features)
        scores = scores.squeeze(1) if label is None else (scores * self.of_label(label)).sum(1)
        return Critique(scores, features)


def stages(count: int, width: int, blocks: int) -> list[int]:
    """Channels from 4 pixels on. Raises ValueError for a `width` or a number of `blocks` below 1."""
    if width < 1 or blocks < 1:
        raise ValueError(f"width and blocks must be at least 1, not {width} and {blocks}")
    return [max(width // 2 ** max(stage - FULL + 1, 0), 1) for stage in range(count)]


def groups(channels: int) -> int:
    """As many groups as can have the same size, of at least 16 channels."""
    return next((count for count in range(channels // GROUP, 0, -1) if channels % count == 0), 1)


def _narrow(before: int, after: int) -> list[nn.Module]:
    """What changes the width between two stages: nothing where it stays."""
    return [] if before == after else [_conv(before, after, 1)]


def _conv(before: int, after: int, size: int, gain: float = 1.0, bias: bool = False, groups: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, size, padding=size // 2, groups=groups, bias=bias)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return _initialised(conv, gain)


def _initialised(layer: LayerT, gain: float = 1.0) -> LayerT:
    """Weights N(0, gain^2 / fan-in). A table of vectors counts as a linear layer that reads one-hot labels."""
    weight = layer.weight
    fan_in = len(weight) if isinstance(layer, nn.Embedding) else weight[0].numel()
    nn.init.normal_(weight, 0.0, gain / math.sqrt(fan_in))
    return layer
