"""Multilayer perceptrons for points in the plane, at the scale at which the Gaussians are described.

The toy problems of Metz et al. 2016 (arXiv:1611.02163, appendix A) and VEEGAN (arXiv:1705.07761) are posed in plane
coordinates, a ring of radius 1 or a grid of spacing 2. Here points are divided by `extent` to lie in [-1, 1], and these
networks multiply it back: without that a discriminator must be as many times steeper to tell a point on a mode from
one beside it. For the same reason it sees waves of the plane beside the coordinates (Tancik et al. 2020,
arXiv:2006.10739): a perceptron is slow to learn what changes within a few hundredths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Score


class Generator(nn.Module):
    """Latent (N, D) to points (N, C, H, W), through `depth` hidden layers of `width` ReLU units; the last layer is
    linear, so nothing is bent at the borders."""

    def __init__(
        self, image_shape: Sequence[int], latent_dim: int, extent: float, width: int = 128, depth: int = 3
    ) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.extent = extent
        self.layers = _hidden(latent_dim, width, depth, nn.ReLU(inplace=True))
        self.to_point = nn.Linear(width, math.prod(self.image_shape))

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(self.layers[0])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        points: Tensor = self.to_point(self.layers(latent)) / self.extent
        return points.view(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Points (N, C, H, W) to scores (N,), through `depth` hidden layers of `width` LeakyReLU units.

    Beside the coordinates v it sees cos(2 pi B v) and sin(2 pi B v) (arXiv:2006.10739, equation 5) of `waves` rows B,
    drawn once from a normal distribution with the standard deviation `frequency`, in cycles per unit of the plane.
    """

    waves: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        extent: float,
        width: int = 128,
        depth: int = 3,
        waves: int = 32,
        frequency: float = 0.16,
    ) -> None:
        super().__init__()
        if waves < 0 or frequency < 0:
            raise ValueError(f"waves and frequency must not be negative: {waves}, {frequency}")
        self.extent = extent
        units = math.prod(image_shape)
        self.register_buffer("waves", frequency * torch.randn(units, waves))
        self.layers = _hidden(units + 2 * waves, width, depth, nn.LeakyReLU(0.2, inplace=True))
        self.to_score = Score(width)

    def forward(self, points: Tensor, label: Tensor | None = None) -> Critique:
        plane = points.flatten(1) * self.extent
        phases = 2 * math.pi * (plane @ self.waves)
        features: Tensor = self.layers(torch.cat([plane, phases.cos(), phases.sin()], 1))
        return Critique(self.to_score(features), features)


def _hidden(units: int, width: int, depth: int, activation: nn.Module) -> nn.Sequential:
    if width < 1 or depth < 1:
        raise ValueError(f"width and depth must be at least 1, not {width} and {depth}")
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(units, width), activation]
        units = width
    return nn.Sequential(*layers)
