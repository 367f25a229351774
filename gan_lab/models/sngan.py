"""Spectrally normalised residual GAN (Miyato et al. 2018, arXiv:1802.05957, appendix B.4), and with class labels the
projection discriminator (Miyato & Koyama 2018, arXiv:1802.05637).

Up to 32 pixels the paper's CIFAR-10 networks: `width` channels everywhere (256 in the generator, 128 in the
discriminator), one upsampling block per doubling; two downsampling blocks (fewer where the image allows only fewer),
then two plain ones. Beyond, the paper's ImageNet networks: 16-8-4-2-1 times `width` (64) while the image doubles, the
mirror image in the discriminator, then one plain block. ReLU, BatchNorm in the generator (conditional with classes),
spectral normalization in the discriminator, a sum over the last map. Weights as in the authors' code: Glorot uniform,
times sqrt(2) in the blocks' 3x3 convolutions; biases 0. Deviations: 48 pixels (STL-10) take the CIFAR-10 networks too;
at 64 pixels the rule of the 128-pixel networks holds, where the authors' discriminator has a fifth downsampling block,
of 16 times the width, and no plain one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from gan_lab.layers.class_projection import ClassProjection
from gan_lab.layers.conditional_norm import ClassNorm, PlainNorm
from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.labels import require_label
from gan_lab.layers.projection import Projection
from gan_lab.layers.residual import DownBlock, UpBlock
from gan_lab.layers.spectral_norm import spectral_norm

SMALL = 3  # doublings of the CIFAR-10 networks


class Generator(nn.Module):
    """Latent (N, D) and labels (N,), if there are classes, to images (N, C, H, W) in [-1, 1].

    `width` null: the paper's for this image size. Raises ValueError for an image size that does not halve down to a
    first map of 4 to 7 pixels, and when called without labels that it needs.
    """

    def __init__(
        self, image_shape: Sequence[int], latent_dim: int, width: int | None = None, num_classes: int | None = None
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        blocks, rows, columns = first_map(image_shape)
        if blocks <= SMALL:
            channels = [width or 256] * (blocks + 1)
        else:
            channels = [(width or 64) * min(2**level, 16) for level in reversed(range(blocks + 1))]
        norm = partial(ClassNorm, num_classes=self.num_classes) if self.num_classes else PlainNorm
        self.project = Projection(latent_dim, channels[0], rows, columns, bias=True)
        self.blocks = nn.ModuleList(UpBlock(wide, narrow, norm) for wide, narrow in pairwise(channels))
        self.norm = PlainNorm(channels[-1])
        self.to_image = nn.Conv2d(channels[-1], image_shape[0], 3, padding=1)
        self.apply(initialise)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`. The first map goes to a BatchNorm and past it: nothing is folded."""
        return [self.project.weight]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        features = self.project(latent)
        for block in self.blocks:
            features = block(features, label)
        images: Tensor = self.to_image(relu(self.norm(features), inplace=True))
        return images.tanh()


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,), if there are classes, to scores (N,); every layer spectrally normalised.

    `width` and what is raised: as for the generator.
    """

    def __init__(self, image_shape: Sequence[int], width: int | None = None, num_classes: int | None = None) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        halvings = first_map(image_shape).blocks
        if halvings <= SMALL:
            down, plain, width = max(halvings - 1, 1), 2, width or 128
            channels = [width] * (down + plain)
        else:
            down, plain, width = halvings, 1, width or 64
            channels = [width * min(2**level, 16) for level in range(down)]
            channels += channels[-1:]
        self.blocks = nn.Sequential(DownBlock(image_shape[0], channels[0], channels[0], down=True, first=True))
        for index, (narrow, wide) in enumerate(pairwise(channels), start=1):
            self.blocks.append(DownBlock(narrow, narrow, wide, down=index < down))
        self.to_score = ClassProjection(channels[-1], self.num_classes)
        spectral_norm(self.apply(initialise))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features = relu(self.blocks(images)).sum((2, 3))  # (N, C)
        return Critique(self.to_score(features, label), features)


def initialise(module: nn.Module) -> None:
    """Glorot uniform, times sqrt(2) in the blocks' 3x3 convolutions; biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
        nn.init.xavier_uniform_(module.weight)
        bias = getattr(module, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)
    elif isinstance(module, (UpBlock, DownBlock)):  # after its convolutions, so this is what stays
        for conv in (module.conv1, module.conv2):
            nn.init.xavier_uniform_(conv.weight, math.sqrt(2.0))
