"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007): a discriminator that looks at the maps of a frozen network.

The generator is FastGAN's (`gan_lab.models.fastgan_trunk`), of twice the width, with latents of one length, one image,
and no Tanh: in every doubling one convolution (`lite`, which the authors take for little data) or two, with noise.

With classes, as the authors' code has them: a vector of the class says scale and shift of the generator's BatchNorms
(but for the first), and each head makes 64 maps where it made one, of which the score is the product with what it makes
of a vector of its own for the class.

Deviations: images whose channels are no colours are looked at one by one; where the weights of the frozen network are
missing, one that nobody trained takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_lab.layers.backbone import Backbone
from gan_lab.layers.critique import Critique
from gan_lab.layers.feature_mixing import FeatureMixing
from gan_lab.layers.labels import LabelTable, look_up, require_label
from gan_lab.layers.pixel_norm import pixel_norm
from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.fastgan_trunk import Trunk, initialise

LEAK = 0.2
LAST = 8  # rows and columns of a head's last map, at most
SCORED = 4  # of which make one score
CLASS_MAPS, CLASS_VECTOR = 64, 128


class Generator(Trunk):
    """Latent (N, D), divided by its root mean square, to images (N, C, H, W), which are not bounded. `width`: channels
    at 128 pixels. With `num_classes` labels (N,) are needed: ValueError without."""

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 128,
        lite: bool = False,
        num_classes: int | None = None,
    ) -> None:
        condition_dim = latent_dim if num_classes else 0
        super().__init__(image_shape, latent_dim, width, lambda step: not lite, condition_dim)
        self.num_classes = num_classes or 0
        self.to_image = nn.Conv2d(self.channels, image_shape[0], 3, padding=1)
        if self.num_classes:
            self.of_class = nn.Parameter(torch.randn(self.num_classes, latent_dim))
        spectral_norm(self.apply(initialise))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        condition = None if label is None else look_up(label, self.of_class)
        images: Tensor = self.to_image(self.largest(pixel_norm(latent), condition))
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N, K): those of one head for each of the backbone's maps, place by place.

    Three channels, or a multiple, are looked at as colour, others each as a gray picture of its own. Maps are mixed to
    `base` channels, 2 `base`, ... (`FeatureMixing`). A head halves its map until no side is above 8 (4x4 convolutions
    of stride 2, BatchNorm, leaky ReLU; of n maps the last has 2^(n-1) `base` channels), then scores each 4x4 places.
    Convolutions have spectral norm. Only heads learn. `separable`: a head halves by a 3x3 convolution of each channel
    alone, a 1x1 convolution and a mean instead, as the authors do against StyleGAN2's generator.

    With `num_classes` labels (N,) are needed: ValueError without, and for a `base` below 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        backbone: Backbone,
        base: int = 64,
        separable: bool = False,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        outputs = CLASS_MAPS if self.num_classes else 1
        self.backbone = backbone
        channels = image_shape[0]
        self.pictures = channels // 3 if channels % 3 == 0 else channels
        self.mixing = FeatureMixing([self.pictures * each for each in backbone.channels], base)
        top = base << len(backbone.channels) - 1
        rows, columns = backbone.enlarged(*image_shape[1:])
        sides = [(max(2 * -(-rows // s), 1), max(2 * -(-columns // s), 1)) for s in backbone.strides]
        self.heads = nn.ModuleList(
            head(width, base, top, side, outputs, separable)
            for width, side in zip(self.mixing.widths, sides, strict=True)
        )
        spectral_norm(self.heads)
        if self.num_classes:
            self.of_class = nn.ModuleList(class_maps(self.num_classes) for _ in self.heads)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        each = images.unflatten(1, (self.pictures, -1)).flatten(0, 1)
        mixed = self.mixing([maps.unflatten(0, (-1, self.pictures)).flatten(1, 2) for maps in self.backbone(each)])
        last = [head[:-1](maps) for head, maps in zip(self.heads, mixed, strict=True)]  # type: ignore[index]
        scored = [head[-1](maps) for head, maps in zip(self.heads, last, strict=True)]  # type: ignore[index]
        if (label := require_label(label, self.num_classes)) is not None:
            wanted = [of_class(label)[:, :, None, None] for of_class in self.of_class]
            scored = [(maps * each).sum(1) / CLASS_MAPS**0.5 for maps, each in zip(scored, wanted, strict=True)]
        scores = torch.cat([maps.flatten(1) for maps in scored], 1)
        return Critique(scores, torch.cat([maps.mean((2, 3)) for maps in last], 1))


def head(
    width: int, base: int, top: int, side: tuple[int, int], outputs: int = 1, separable: bool = False
) -> nn.Sequential:
    """From a mixed map of `width` channels and these sides to `outputs` numbers for each 4x4 places of its last map."""
    halvings = 0
    while max(side) >> halvings > LAST and min(side) >> halvings >= 2:
        halvings += 1
    channels = [width, *(max(top >> back, base) for back in reversed(range(halvings)))]
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += halving_alone(before, after) if separable else [nn.Conv2d(before, after, 4, 2, 1), *normed(after)]
    kernel = (min(side[0] >> halvings, SCORED), min(side[1] >> halvings, SCORED))
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], outputs, kernel, bias=False))


def normed(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.LeakyReLU(LEAK, inplace=True)]


def halving_alone(before: int, after: int) -> list[nn.Module]:
    """A separable convolution, then the mean of 2x2 places."""
    each = nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False)
    return [each, nn.Conv2d(before, after, 1, bias=False), *normed(after), nn.AvgPool2d(2)]


def class_maps(num_classes: int) -> nn.Sequential:
    """Labels to (N, 64): what the maps of a score are to be like."""
    return nn.Sequential(LabelTable(num_classes, CLASS_VECTOR), nn.Linear(CLASS_VECTOR, CLASS_MAPS), nn.LeakyReLU(LEAK))
