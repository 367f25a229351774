"""The generator of least squares GAN (Mao et al. 2016, arXiv:1611.04076, figure 2a), sized by the image.

DCGAN's (arXiv:1511.06434), with a further convolution of stride 1 after each of the first two doublings, in the manner
of VGG. At the paper's 112 pixels: a linear layer from 1024 numbers to 256x7x7; 5x5 transposed convolutions of 256
(stride 2), 256 (1), 256 (2), 256 (1), 128 (2) and 64 (2) channels, each with BatchNorm and ReLU; one of stride 1 to the
image, and Tanh. Weights N(0, 0.02). The paper's discriminator is DCGAN's: `dcgan.Discriminator`.

Another image size leaves out the last doublings or repeats the 64-channel one.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.first_map import first_map
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Projection
from gan_lab.models.dcgan import initialise


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1]: 4, 4, 2, 1, 1, ... times `width` channels (the paper: 64).

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__()
        doublings, rows, columns = first_map(image_shape)
        channels = 4 * width
        layers: list[nn.Module] = [Projection(latent_dim, channels, rows, columns), *_norm(channels)]
        for level in range(doublings):
            after = width * (4, 4, 2, 1)[min(level, 3)]
            layers += [nn.ConvTranspose2d(channels, after, 5, 2, padding=2, output_padding=1, bias=False)]
            layers += _norm(after)
            if level < 2:
                layers += [nn.ConvTranspose2d(after, after, 5, 1, padding=2, bias=False), *_norm(after)]
            channels = after
        layers += [nn.ConvTranspose2d(channels, image_shape[0], 5, 1, padding=2), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(*self.layers[:2])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(latent)
        return images


def _norm(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
