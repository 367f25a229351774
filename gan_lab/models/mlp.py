"""The first GAN: two multilayer perceptrons (Goodfellow et al. 2014, arXiv:1406.2661).

Deviations. The paper's discriminator has maxout units: LeakyReLU 0.2 here. Its generator mixes rectifiers and sigmoids:
ReLU here, with BatchNorm (arXiv:1502.03167, a year younger), and Tanh at the end for images in [-1, 1]. Its dropout in
the discriminator is kept. Weights start as PyTorch's default; the paper draws them from U(-0.05, 0.05).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.dropout import Dropout
from gan_lab.layers.first_map import check_image_shape
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Score


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1] through hidden layers of width, 2 width, 4 width, ... units."""

    def __init__(
        self, image_shape: Sequence[int], latent_dim: int, width: int = 128, depth: int = 3, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self.image_shape = check_image_shape(image_shape)
        layers: list[nn.Module] = []
        units = latent_dim
        for hidden in _hidden(width, depth):
            layers.append(nn.Linear(units, hidden, bias=not batch_norm))  # BatchNorm has a bias of its own
            if batch_norm:
                layers.append(nn.BatchNorm1d(hidden))
            layers.append(nn.ReLU(inplace=True))
            units = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(units, math.prod(self.image_shape)), nn.Tanh())

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(*self.layers[:2])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(latent)
        return images.view(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,) through hidden layers of ..., 2 width, width units; `dropout` after each."""

    def __init__(self, image_shape: Sequence[int], width: int = 256, depth: int = 2, dropout: float = 0.3) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
        layers: list[nn.Module] = []
        units = math.prod(check_image_shape(image_shape))
        for hidden in reversed(_hidden(width, depth)):
            layers += [nn.Linear(units, hidden), nn.LeakyReLU(0.2, inplace=True)]
            if dropout:
                layers.append(Dropout(dropout))
            units = hidden
        self.layers = nn.Sequential(*layers)
        self.to_score = Score(units)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images.flatten(1))
        return Critique(self.to_score(features), features)


def _hidden(width: int, depth: int) -> list[int]:
    if width < 1 or depth < 1:
        raise ValueError(f"width and depth must be at least 1, not {width} and {depth}")
    return [width * 2**level for level in range(depth)]
