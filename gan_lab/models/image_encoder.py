"""From images to codes: a convolutional generator backwards, for those that are to find the latent of an image."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.first_map import first_map
from gan_lab.models.dcgan import initialise


class Encoder(nn.Module):
    """Images (N, C, H, W) to codes (N, D), which are not bounded: DCGAN's discriminator (arXiv:1511.06434) whose last
    layer gives `latent_dim` numbers. `width` channels after the first convolution, twice as many per halving; BatchNorm
    behind all but the first, LeakyReLU 0.2, weights N(0, 0.02).

    Raises ValueError for an image size that does not halve down to a last map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__()
        blocks, rows, columns = first_map(image_shape)
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for level in range(blocks):
            wider = width * 2**level
            layers.append(nn.Conv2d(channels, wider, 4, stride=2, padding=1, bias=level == 0))
            if level > 0:
                layers.append(nn.BatchNorm2d(wider))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels = wider
        self.layers = nn.Sequential(*layers)
        self.to_code = nn.Linear(channels * rows * columns, latent_dim)
        self.apply(initialise)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        codes: Tensor = self.to_code(self.layers(images).flatten(1))
        return codes
