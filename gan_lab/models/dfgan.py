"""DF-GAN (Tao et al. 2020, arXiv:2008.05865): one generator of images from captions, no normalisation anywhere.

Generator: a linear layer of the latent to the first map, then doublings in whose residual blocks each convolution
stands behind a deep fusion with latent and caption (`gan_lab.layers.deep_fusion`). Discriminator: residual halvings, of
which each begins as its shortcut; at the last map the caption lies beside every place, and there is one way out, no
score of the image alone. Channels: `width` at the size of the image, then twice as many per halving, at most eight
times. `width=32` is the paper's.

Deviation: the text encoder, a recurrent network pretrained on pairs and frozen in the paper, is trained in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.deep_fusion import LEAK, DeepFusion
from gan_lab.layers.first_map import first_map
from gan_lab.layers.projection import Projection, Readout
from gan_lab.layers.residual import double
from gan_lab.text.encoder import CaptionReader

WIDEST = 8  # times `width`


class Generator(CaptionReader):
    """Latent (N, D) and captions, (N, L) tokens or (N, E) embeddings, to images (N, C, H, W) in [-1, 1]; `hidden` units
    between the linear layers of an affine.

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, for `width` or
    `hidden` below 1, and when called without captions.
    """

    def __init__(
        self, encoder: nn.Module, image_shape: Sequence[int], latent_dim: int, width: int = 32, hidden: int = 256
    ) -> None:
        super().__init__(encoder)
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, not {hidden}")
        doublings, rows, columns = first_map(image_shape)
        channels = channels_of(doublings, width)[::-1]
        condition_dim = latent_dim + self.condition_shape[0]
        self.project = Projection(latent_dim, channels[0], rows, columns, bias=True)
        self.blocks = nn.ModuleList(UpBlock(*pair, condition_dim, hidden) for pair in pairwise(channels))
        self.to_image = nn.Conv2d(channels[-1], image_shape[0], 3, padding=1)

    def forward(self, latent: Tensor, caption: Tensor | None = None) -> Tensor:
        condition = torch.cat((latent, self.embed(caption).to(latent.dtype)), 1)
        maps: Tensor = self.project(latent)
        for block in self.blocks:
            maps = block(maps, condition)
        images: Tensor = self.to_image(leaky_relu(maps, LEAK))
        return images.tanh()


class UpBlock(nn.Module):
    """Double; fuse, convolve; fuse, convolve; plus the shortcut, 1x1 where the channels change. (N, C_out, 2H, 2W).

    The shortcut is convolved before it is doubled, the paper's after: the same function for a quarter of the work.
    """

    def __init__(self, channels: int, out_channels: int, condition_dim: int, hidden: int) -> None:
        super().__init__()
        self.fuse1 = DeepFusion(channels, condition_dim, hidden)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.fuse2 = DeepFusion(out_channels, condition_dim, hidden)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, out_channels, 1) if channels != out_channels else nn.Identity()

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        residual: Tensor = self.conv1(double(self.fuse1(maps, condition)))
        residual = self.conv2(self.fuse2(residual, condition))
        return residual + double(self.shortcut(maps))


class Discriminator(CaptionReader):
    """Images (N, C, H, W) and captions, (N, L) tokens or (N, E) embeddings, to scores (N,). Raises ValueError as
    above."""

    def __init__(self, encoder: nn.Module, image_shape: Sequence[int], width: int = 32) -> None:
        super().__init__(encoder)
        halvings, rows, columns = first_map(image_shape)
        channels = channels_of(halvings, width)
        self.stem = nn.Conv2d(image_shape[0], width, 3, padding=1)
        self.blocks = nn.ModuleList(DownBlock(*pair) for pair in pairwise(channels))
        self.join = nn.Conv2d(channels[-1] + self.condition_shape[0], 2 * width, 3, padding=1, bias=False)
        self.to_score = Readout(2 * width, rows, columns)

    def forward(self, images: Tensor, caption: Tensor | None = None) -> Critique:
        maps: Tensor = self.stem(images)
        for block in self.blocks:
            maps = block(maps)
        told = self.embed(caption).to(maps.dtype)
        there = told[:, :, None, None].expand(-1, -1, *maps.shape[2:])
        joined = leaky_relu(self.join(torch.cat((maps, there), 1)), LEAK)
        return Critique(self.to_score(joined), joined)


class DownBlock(nn.Module):
    """The shortcut, 1x1 where the channels change and averaged to half the size, plus `scale` times a strided and a
    plain convolution with LeakyReLU. `scale` is learned and begins at 0. (N, C_out, H / 2, W / 2).

    The shortcut is averaged before it is convolved, the paper's after: the same function for a quarter of the work.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out_channels, 4, stride=2, padding=1, bias=False)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(channels, out_channels, 1) if channels != out_channels else nn.Identity()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor) -> Tensor:
        residual = leaky_relu(self.conv2(leaky_relu(self.conv1(maps), LEAK)), LEAK)
        shortcut: Tensor = self.shortcut(avg_pool2d(maps, 2))
        return torch.addcmul(shortcut, self.scale, residual)


def channels_of(halvings: int, width: int) -> list[int]:
    """Of each resolution, largest first."""
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    return [width * min(2**level, WIDEST) for level in range(halvings + 1)]
