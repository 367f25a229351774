"""The standard convolutional networks of spectral normalization (Miyato et al. 2018, arXiv:1802.05957, table 3).

The generator is DCGAN's with a first map of 4x4x512 at 32 pixels, one doubling earlier, and a 3x3 convolution at the
end. The discriminator has at every resolution a 3x3 convolution and then one of 4x4 and stride 2, LeakyReLU 0.1,
64-128-256-512 channels, spectral normalization and no BatchNorm. Sized by the image: one doubling of the channels per
halving, up to 8 times `width`. Weights start from N(0, 0.02), BatchNorm scales at 1.

The table prints nothing between the generator's dense layer and its first deconvolution, which makes one linear map of
the two. All code (chainer-gan-lib, compare_gan, mimicry) has BatchNorm and ReLU there: `first_norm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Projection, Readout
from gan_lab.layers.spectral_norm import spectral_norm


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1]; `width` channels at the full resolution.

    `first_norm`: BatchNorm and ReLU after the dense layer; false is the paper's table to the letter. Raises ValueError
    for an image size that does not halve down to a first map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64, first_norm: bool = False) -> None:
        super().__init__()
        blocks, rows, columns = first_map(image_shape)
        channels = [width * min(2**level, 8) for level in reversed(range(blocks + 1))]
        layers: list[nn.Module] = [Projection(latent_dim, channels[0], rows, columns, bias=True)]
        if first_norm:
            layers += [nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)]
        for wide, narrow in pairwise(channels):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.Conv2d(width, image_shape[0], 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(*self.layers[:2])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(latent)
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,); `width` channels at the full resolution. Raises ValueError as above."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        blocks, rows, columns = first_map(image_shape)
        channels = [image_shape[0], *(width * min(2**level, 8) for level in range(blocks + 1))]
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(channels[:-1]):
            layers += [nn.Conv2d(narrow, wide, 3, padding=1), nn.LeakyReLU(0.1, inplace=True)]
            layers += [nn.Conv2d(wide, wide, 4, stride=2, padding=1), nn.LeakyReLU(0.1, inplace=True)]
        layers += [nn.Conv2d(channels[-2], channels[-1], 3, padding=1), nn.LeakyReLU(0.1, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.to_score = Readout(channels[-1], rows, columns, bias=True)
        spectral_norm(self.apply(initialise))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images)
        return Critique(self.to_score(features), features)


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
