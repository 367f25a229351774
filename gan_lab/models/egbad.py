"""EGBAD (Zenati et al. 2018, arXiv:1802.06222): a discriminator of images beside their latents, as in BiGAN.

Generator and encoder are DCGAN's networks here (`dcgan.Generator`, `image_encoder.Encoder`): near those of the paper's
appendix, and for any size that halves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.projection import Score
from gan_lab.models.dcgan import initialise


class Discriminator(nn.Module):
    """Images (N, C, H, W) beside latents (N, D) to scores (N,). Convolutions of stride 2 with BatchNorm see the image,
    a linear layer of 8 `width` the latent, and one of 16 `width` both, which gives the features; LeakyReLU 0.2 is
    behind all of them. With a width of 64 these are the paper's 512 and 1024. Deviation: there is no dropout.

    Raises ValueError for an image size that does not halve down to a last map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__()
        self.condition_shape = (latent_dim,)
        blocks, rows, columns = first_map(image_shape)
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for level in range(blocks):
            layers.append(nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=level == 0))
            if level > 0:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels = width
        self.of_image = nn.Sequential(*layers)
        self.of_latent = nn.Linear(latent_dim, 8 * width)
        self.of_both = nn.Linear(width * rows * columns + 8 * width, 16 * width)
        self.to_score = Score(16 * width)
        self.apply(initialise)

    def forward(self, images: Tensor, latent: Tensor) -> Critique:
        seen = self.of_image(images).flatten(1)
        both = torch.cat((seen, leaky_relu(self.of_latent(latent), 0.2)), 1)
        features = leaky_relu(self.of_both(both), 0.2)
        return Critique(self.to_score(features), features)
