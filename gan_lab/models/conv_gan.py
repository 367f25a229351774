"""The convolutional GAN that courses train on CIFAR-10, sized by the image. It is from no paper: DCGAN's ingredients
(arXiv:1511.06434) with nearest-neighbour upsampling and 3x3 convolutions in the generator (Odena et al. 2016,
distill.pub/2016/deconv-checkerboard) and dropout in the discriminator.

At 32 pixels: a linear layer to 128x8x8, two times (double, 3x3 convolution, BatchNorm, ReLU) with 128 and 64 channels,
a 3x3 convolution and Tanh; against 3x3 convolutions of 32, 64, 128 (stride 2) and 256 channels (stride 1), each with
BatchNorm (but the first), LeakyReLU 0.2 and dropout 0.25, and a linear score. A larger image doubles and halves more
often; below 32 pixels the first map is smaller. Weights start as PyTorch's default.

Deviations from what is copied around. `BatchNorm2d(128, 0.8)` and `momentum=0.78` come from Keras, where the number is
the weight of the *old* statistics; in PyTorch the one sets epsilon to 0.8 and the other all but forgets the past: here
PyTorch's defaults. Dropout drops whole channels (arXiv:1411.4280); the odd zero padding is left out; all leaks are 0.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Projection, Readout


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1]; `width` channels before the output, 2 `width` in front of that.

    Raises ValueError for an image size that does not halve down to a map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__()
        doublings = _doublings(image_shape)
        rows, columns = (side // 2**doublings for side in image_shape[1:])
        layers: list[nn.Module] = [
            Projection(latent_dim, 2 * width, rows, columns, bias=True),
            nn.ReLU(inplace=True),
        ]
        for before, after in pairwise([2 * width] * doublings + [width]):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, image_shape[0], 3, padding=1), nn.Tanh())

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(self.layers[0])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(latent)
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,); `width` channels first, twice as many per convolution up to 8 `width`.

    Raises ValueError for a `dropout` outside [0, 1) and for an image size that does not halve down to a map of 4 to 7
    pixels.
    """

    def __init__(self, image_shape: Sequence[int], width: int = 32, dropout: float = 0.25) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
        halvings = _doublings(image_shape) + 1
        channels, rows, columns = image_shape
        layers: list[nn.Module] = []
        for level in range(halvings + 1):
            after, stride = width * min(2**level, 8), 2 if level < halvings else 1
            layers.append(nn.Conv2d(channels, after, 3, stride, padding=1, bias=level == 0))
            if level:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            if dropout:
                layers.append(nn.Dropout2d(dropout))
            channels, rows, columns = after, -(-rows // stride), -(-columns // stride)
        self.layers = nn.Sequential(*layers)
        self.to_score = Readout(channels, rows, columns, bias=True)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images)
        return Critique(self.to_score(features), features)


def _doublings(image_shape: Sequence[int]) -> int:
    """From 8 to 15 pixels up to the image, but twice where possible: from 8 at 32, from 7 at 28, from 4 at 16."""
    blocks = first_map(image_shape).blocks
    return max(min(blocks, 2), blocks - 1)
