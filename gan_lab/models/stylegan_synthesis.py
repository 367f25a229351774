"""From styles to images: the second half of StyleGAN's generator (`gan_lab.models.stylegan`)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.layers.adaptive_norm import AdaptiveInstanceNorm
from gan_lab.layers.equalized import EqualizedConv2d
from gan_lab.layers.fir import Smooth
from gan_lab.layers.first_map import FirstMap
from gan_lab.layers.in_stages import InStages, enlarge
from gan_lab.layers.noise import Noise
from gan_lab.layers.scaled_convolution import EnlargingConv2d
from gan_lab.models.progressive import GAIN, LEAK

TAPS = (1.0, 2.0, 1.0)


class StyleLayer(nn.Module):
    """What comes out of `conv`, bias, noise, leaky ReLU 0.2, and the statistics that the style says."""

    def __init__(self, conv: nn.Module, channels: int, style_dim: int, size: tuple[int, int], noise: str) -> None:
        super().__init__()
        self.conv = conv
        self.noise = Noise(*size, noise, channels)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.norm = AdaptiveInstanceNorm(channels, style_dim)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        maps = self.noise(self.conv(maps) + self.bias[:, None, None])
        styled: Tensor = self.norm(leaky_relu(maps, LEAK, inplace=True), style)
        return styled


class Constant(nn.Module):
    """A learned map (C, H, W) that starts at 1, once for each of the styles (N, D) that it is called with."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.ones(channels, height, width))

    def forward(self, styles: Tensor) -> Tensor:
        return self.value.repeat(len(styles), 1, 1, 1).contiguous(memory_format=torch.channels_last)


class Synthesis(InStages):
    """Styles (N, num_ws, style_dim) to images (N, C, H, W) of the size it has grown to. Every resolution has two
    layers, each with a style of its own, and at each maps are a picture by a 1x1 convolution."""

    def __init__(
        self,
        channels_of_image: int,
        first: FirstMap,
        channels: Sequence[int],
        style_dim: int,
        noise: str = "random",
    ) -> None:
        super().__init__(first)
        self.constant = Constant(channels[0], first.height, first.width)
        self.layers = nn.ModuleList()
        for index, after in enumerate(channels):
            size = first.height << index, first.width << index
            enlarging = nn.Identity() if index == 0 else enlarged(channels[index - 1], after)
            self.layers.append(StyleLayer(enlarging, after, style_dim, size, noise))
            plain = EqualizedConv2d(after, after, 3, bias=False, gain=GAIN)
            self.layers.append(StyleLayer(plain, after, style_dim, size, noise))
        self.to_image = nn.ModuleList(EqualizedConv2d(each, channels_of_image, 1) for each in channels)
        self.num_ws = len(self.layers)

    def style_weights(self) -> list[Tensor]:
        """Of each style `(rows, D)`."""
        return [layer.norm.affine.matrix() for layer in self.layers]  # type: ignore[union-attr, operator]

    @property
    def recomputed(self) -> list[nn.Module]:
        """What `activation_checkpointing` computes again, as far as it is there: layers."""
        return list(self.layers)

    def forward(self, styles: Tensor) -> Tensor:
        maps = before = self.constant(styles)
        for index, layer in enumerate(self.layers[: 2 * self.level + 2]):
            before = maps if index % 2 == 0 else before
            maps = layer(maps, styles[:, index])
        image: Tensor = self.to_image[self.level](maps).float()
        if not self.fading:
            return image
        return self.blend(enlarge(self.to_image[self.level - 1](before).float()), image)


def enlarged(before: int, after: int) -> nn.Module:
    """Every value in a 2x2 block, a 3x3 convolution, and a filter over what it has made."""
    return nn.Sequential(EnlargingConv2d(before, after, gain=GAIN, bias=False), Smooth(padding=1, taps=TAPS))
