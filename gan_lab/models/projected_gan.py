"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007): a discriminator that looks at the maps of a frozen network.

The generator is FastGAN's (`gan_lab.models.fastgan_trunk`), of twice the width, with latents of one length, one image,
and no Tanh: in every doubling one convolution (`lite`, which the authors take for little data) or two, with noise.

Deviations: images whose channels are no colours are looked at one by one; there are no classes; where the weights of
the frozen network are missing, one that nobody trained takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_lab.layers.backbone import Backbone
from gan_lab.layers.critique import Critique
from gan_lab.layers.feature_mixing import FeatureMixing
from gan_lab.layers.pixel_norm import pixel_norm
from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.fastgan_trunk import Trunk, initialise

LEAK = 0.2
LAST = 8  # rows and columns of a head's last map, at most
SCORED = 4  # of which make one score


class Generator(Trunk):
    """Latent (N, D), divided by its root mean square, to images (N, C, H, W), which are not bounded. `width`: channels
    at 128 pixels."""

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 128, lite: bool = False) -> None:
        super().__init__(image_shape, latent_dim, width, noisy=lambda step: not lite)
        self.to_image = nn.Conv2d(self.channels, image_shape[0], 3, padding=1)
        spectral_norm(self.apply(initialise))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.to_image(self.largest(pixel_norm(latent)))
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N, K): those of one head for each of the backbone's maps, place by place.

    Three channels, or a multiple, are looked at as colour, others each as a gray picture of its own. Maps are mixed to
    `base` channels, 2 `base`, ... (`FeatureMixing`). A head halves its map until no side is above 8 (4x4 convolutions
    of stride 2, BatchNorm, leaky ReLU; of n maps the last has 2^(n-1) `base` channels), then scores each 4x4 places.
    Convolutions have spectral norm. Only heads learn. Raises ValueError for a `base` below 1.
    """

    def __init__(self, image_shape: Sequence[int], backbone: Backbone, base: int = 64) -> None:
        super().__init__()
        self.backbone = backbone
        channels = image_shape[0]
        self.pictures = channels // 3 if channels % 3 == 0 else channels
        self.mixing = FeatureMixing([self.pictures * each for each in backbone.channels], base)
        top = base << len(backbone.channels) - 1
        rows, columns = backbone.enlarged(*image_shape[1:])
        sides = [(max(2 * -(-rows // s), 1), max(2 * -(-columns // s), 1)) for s in backbone.strides]
        self.heads = nn.ModuleList(
            head(width, base, top, side) for width, side in zip(self.mixing.widths, sides, strict=True)
        )
        spectral_norm(self.heads)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        each = images.unflatten(1, (self.pictures, -1)).flatten(0, 1)
        mixed = self.mixing([maps.unflatten(0, (-1, self.pictures)).flatten(1, 2) for maps in self.backbone(each)])
        last = [head[:-1](maps) for head, maps in zip(self.heads, mixed, strict=True)]  # type: ignore[index]
        scores = [head[-1](maps).flatten(1) for head, maps in zip(self.heads, last, strict=True)]  # type: ignore[index]
        return Critique(torch.cat(scores, 1), torch.cat([maps.mean((2, 3)) for maps in last], 1))


def head(width: int, base: int, top: int, side: tuple[int, int]) -> nn.Sequential:
    """From a mixed map of `width` channels and these sides to one score for each 4x4 places of its last map."""
    halvings = 0
    while max(side) >> halvings > LAST and min(side) >> halvings >= 2:
        halvings += 1
    channels = [width, *(max(top >> back, base) for back in reversed(range(halvings)))]
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(LEAK, inplace=True)]
    kernel = (min(side[0] >> halvings, SCORED), min(side[1] >> halvings, SCORED))
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, kernel, bias=False))
