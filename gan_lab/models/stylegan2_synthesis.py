"""From styles to images: the second half of StyleGAN2's generator (`gan_lab.models.stylegan2`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.layers.equalized import EqualizedConv2d
from gan_lab.layers.fir import Upsample
from gan_lab.layers.first_map import FirstMap
from gan_lab.layers.modulated_convolution import ModulatedConv2d
from gan_lab.layers.noise import Noise
from gan_lab.layers.reduced_precision import precision_of

LEAK, GAIN, HALF = 0.2, math.sqrt(2), math.sqrt(0.5)
ARCHITECTURES = ("skip", "resnet", "orig")


class StyleLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, sqrt(2) leaky ReLU 0.2, clamped. The gain of the activation, and of a
    residual branch, stands in what is added and multiplied before it, which is less than the maps."""

    def __init__(
        self,
        before: int,
        after: int,
        style_dim: int,
        size: tuple[int, int],
        up: bool = False,
        noise: str = "random",
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(before, after, 3, style_dim, up)
        self.noise = Noise(*size, noise)
        self.bias = nn.Parameter(torch.zeros(after))
        self.clamp = clamp

    def forward(self, maps: Tensor, style: Tensor, gain: float = 1.0) -> Tensor:
        factor = GAIN * gain
        maps = self.noise(self.conv(maps, style, (self.bias * factor)[:, None, None], factor), factor)
        return clamped(leaky_relu(maps, LEAK, inplace=True), self.clamp, gain)


class ToImage(nn.Module):
    """Maps to channels of the image: a modulated 1x1 convolution that is not demodulated, and a bias."""

    def __init__(self, before: int, channels: int, style_dim: int, clamp: float | None = None) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(before, channels, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.clamp = clamp

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        return clamped(self.conv(maps, style, self.bias[:, None, None]), self.clamp)


class Block(nn.Module):
    """One resolution, (N, C, H, W) to (N, O, 2H, 2W); `first`: one layer at (H, W). The image so far goes through.

    `reduced`: this block may compute in bf16. Images are added up in fp32.
    """

    def __init__(
        self,
        before: int,
        after: int,
        size: tuple[int, int],
        style_dim: int,
        channels: int,
        first: bool,
        to_image: bool,
        residual: bool,
        reduced: bool,
        noise: str,
        clamp: float | None,
    ) -> None:
        super().__init__()
        self.reduced = reduced
        self.up = None if first else StyleLayer(before, after, style_dim, size, True, noise, clamp)
        self.layer = StyleLayer(after, after, style_dim, size, False, noise, clamp)
        self.shortcut: nn.Module | None = None
        if residual and not first:
            self.shortcut = nn.Sequential(EqualizedConv2d(before, after, 1, bias=False, gain=HALF), Upsample())
        self.to_image = ToImage(after, channels, style_dim, clamp) if to_image else None
        self.enlarge = Upsample()
        self.layers = 1 if first else 2

    def forward(self, maps: Tensor, image: Tensor | None, styles: Tensor) -> tuple[Tensor, Tensor | None]:
        """`styles` (N, layers + 1, D): of each layer, and of the image, which is that of the next block's first."""
        with precision_of(maps.device, self.reduced):
            maps = maps if self.reduced else maps.to(styles.dtype)
            residual = None if self.shortcut is None else self.shortcut(maps)
            if self.up is not None:
                maps = self.up(maps, styles[:, 0])
            maps = self.layer(maps, styles[:, self.layers - 1], 1.0 if residual is None else HALF)
            if residual is not None:
                maps = maps + residual
            new = None if self.to_image is None else self.to_image(maps, styles[:, self.layers])
        with precision_of(maps.device, reduced=False):
            if image is not None:
                image = self.enlarge(image)
            if new is not None:
                new = new.to(styles.dtype)
                image = new if image is None else image + new
        return maps, image


class Synthesis(nn.Module):
    """Styles (N, num_ws, D) to images (N, C, H, W), from a learned constant map, N(0, 1) at the start.

    `channels`: of each resolution, smallest first. Raises ValueError for an unknown architecture.
    """

    def __init__(
        self,
        image_channels: int,
        first: FirstMap,
        channels: Sequence[int],
        style_dim: int,
        architecture: str = "skip",
        noise: str = "random",
        reduced: int = 4,
        clamp: float | None = 256.0,
    ) -> None:
        super().__init__()
        require_architecture(architecture)
        # laid out so that the map comes out in channels_last
        self.start = nn.Parameter(torch.randn(first.height, first.width, channels[0]))
        self.blocks = nn.ModuleList(
            Block(
                channels[max(index - 1, 0)],
                after,
                (first.height << index, first.width << index),
                style_dim,
                image_channels,
                first=index == 0,
                to_image=architecture == "skip" or index == first.blocks,
                residual=architecture == "resnet",
                reduced=is_reduced(index, first.blocks, reduced),
                noise=noise,
                clamp=clamp,
            )
            for index, after in enumerate(channels)
        )
        self.num_ws = sum(block.layers for block in self.blocks) + 1  # type: ignore[misc]

    def style_weights(self) -> list[Tensor]:
        """Of each style `(rows, D)`: one is read by the image of a block and the next block's first layer."""
        found: list[list[Tensor]] = [[] for _ in range(self.num_ws)]
        at = 0
        for block in self.blocks:
            assert isinstance(block, Block)
            convs = [part.conv for part in (block.up, block.layer, block.to_image) if part is not None]
            for place, conv in enumerate(convs):
                found[at + place].append(conv.affine.matrix())
            at += block.layers
        return [torch.cat(each) for each in found]

    def forward(self, styles: Tensor) -> Tensor:
        maps = self.start.permute(2, 0, 1).expand(len(styles), -1, -1, -1)
        image: Tensor | None = None
        at = 0
        for block in self.blocks:
            assert isinstance(block, Block)
            maps, image = block(maps, image, styles[:, at : at + block.layers + 1])
            at += block.layers
        assert image is not None
        return image


def is_reduced(index: int, last: int, count: int) -> bool:
    """Whether the block of so many doublings may compute in bf16: of the `count` largest resolutions, not the first."""
    return index > max(last - count, 0)


def clamped(maps: Tensor, clamp: float | None, gain: float = 1.0) -> Tensor:
    """In bf16 no value beyond `clamp` in size, before a gain; in fp32 as they are."""
    if clamp is None or maps.dtype not in (torch.bfloat16, torch.float16):
        return maps
    return maps.clamp(-clamp * gain, clamp * gain)


def require_architecture(architecture: str) -> None:
    """Raise ValueError for an architecture that there is not."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, not {architecture!r}")
