"""Progressive GAN's generator (Karras et al. 2017, arXiv:1710.10196, table 2): it grows with the images shown.

A latent becomes a first map; each doubling repeats every pixel and has two 3x3 convolutions. At every resolution maps
are a picture by a 1x1 convolution of its own, without Tanh. All weights are equalized, every vector of features is
normalised to a mean square of 1 behind its leaky ReLU, the latent before everything.

4 * 2^k pixels are the authors'; a first map of 4 to 7 rows and columns makes other sizes, 28x28 or 96x64 among them.
The map of 4 * 2^k pixels, counted along a side of 4 at the start, has `width` channels up to `full` pixels and
`width * full / pixels` beyond: 512 and 32 are the paper's, 128 and 64 its CIFAR-10's.

With classes the label, one number for each class, stands beside the latent, and both are normalised together, as in the
authors' TensorFlow code; their first one has the latent alone normalised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear
from gan_lab.layers.first_map import channels_of, first_map
from gan_lab.layers.in_stages import InStages, enlarge
from gan_lab.layers.labels import as_vectors, require_label
from gan_lab.layers.pixel_norm import pixel_norm
from gan_lab.layers.scaled_convolution import EnlargingConv2d

LEAK, GAIN = 0.2, math.sqrt(2)


class Layer(nn.Module):
    """A 3x3 convolution, which may double the size, leaky ReLU 0.2, pixel norm."""

    def __init__(self, before: int, after: int, up: bool = False) -> None:
        super().__init__()
        plain = EqualizedConv2d(before, after, 3, gain=GAIN, bias_gain=1.0)
        self.conv: nn.Module = EnlargingConv2d(before, after, gain=GAIN) if up else plain

    def forward(self, maps: Tensor) -> Tensor:
        return pixel_norm(leaky_relu(self.conv(maps), LEAK, inplace=True))


class Generator(InStages):
    """Latents (N, D) and labels (N,), if there are classes, to images (N, C, H, W) of the size it has grown to.

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, and when called
    without labels that it needs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 512,
        full: int = 32,
        num_classes: int | None = None,
    ) -> None:
        first = first_map(image_shape)
        super().__init__(first)
        self.num_classes = num_classes or 0
        channels, places = channels_of(first, width, full), first.height * first.width
        inputs = latent_dim + self.num_classes
        self.dense = EqualizedLinear(inputs, channels[0] * places, bias=None, gain=GAIN / math.sqrt(places))
        self.bias = nn.Parameter(torch.zeros(channels[0]))
        self.layer = Layer(channels[0], channels[0])
        self.blocks = nn.ModuleList(
            nn.Sequential(Layer(before, after, up=True), Layer(after, after)) for before, after in pairwise(channels)
        )
        self.to_image = nn.ModuleList(EqualizedConv2d(each, image_shape[0], 1) for each in channels)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`; of a latent that is normalised already."""
        return [self.dense.matrix()[:, : self.dense.weight.shape[1] - self.num_classes]]

    @property
    def recomputed(self) -> list[nn.Module]:
        """What `activation_checkpointing` computes again, as far as it is there: resolutions."""
        return list(self.blocks)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        known = [] if label is None else [as_vectors(label, self.num_classes, latent.dtype)]
        vectors = self.dense(pixel_norm(torch.cat([latent, *known], 1)))
        maps = vectors.view(len(latent), self.first.height, self.first.width, -1) + self.bias
        maps = before = self.layer(pixel_norm(leaky_relu(maps.permute(0, 3, 1, 2), LEAK)))
        for block in self.blocks[: self.level]:
            before, maps = maps, block(maps)
        image: Tensor = self.to_image[self.level](maps).float()
        if not self.fading:
            return image
        return self.blend(enlarge(self.to_image[self.level - 1](before).float()), image)
