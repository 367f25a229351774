"""Conditional GAN (Mirza & Osindero 2014, arXiv:1411.1784): both players are told the class.

The paper's MNIST networks (section 4.1). Generator: latent to 200 and label to 1000 rectified units, both to 1200,
then the image. Discriminator: image to a maxout layer (arXiv:1302.4389) of 240 units and 5 pieces, label to one of 50
units and 5 pieces, both to one of 240 units and 4 pieces, then the score. Dropout 0.5 after each hidden layer of both.
`width` stands for the 200 and the 240; the others keep their proportion.

Deviations: Tanh for images in [-1, 1]; the score is a logit. The generator's `dropout` is 0 in the configuration: it
makes noise of the images that the discriminator sees. A label is looked up in a table, which is a linear layer on its
one-hot vector, with PyTorch's first weights N(0, 1). The configuration takes Adam; the paper descends with momentum
and a decaying learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.critique import Critique
from gan_lab.layers.first_map import check_image_shape
from gan_lab.layers.labels import needed


class Generator(nn.Module):
    """Latent (N, D) and labels (N,) to images (N, C, H, W) in [-1, 1].

    Raises ValueError for data without classes and for a `dropout` outside [0, 1).
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 200,
        num_classes: int | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.image_shape = check_image_shape(image_shape)
        self.num_classes = known_classes(num_classes)
        _check(width, dropout)
        self.of_latent = nn.Linear(latent_dim, width)
        self.of_label = _table(self.num_classes, 5 * width)
        self.joint = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(6 * width, 6 * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(6 * width, math.prod(self.image_shape)),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = needed(label, self.num_classes)
        images: Tensor = self.joint(torch.cat([self.of_latent(latent), self.of_label(label)], 1))
        return images.view(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,) to scores (N,). Raises ValueError as the generator does."""

    def __init__(
        self, image_shape: Sequence[int], width: int = 240, num_classes: int | None = None, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        _check(width, dropout)
        narrow = max(width * 5 // 24, 1)  # 50 of 240
        self.of_image = nn.Linear(math.prod(check_image_shape(image_shape)), 5 * width)
        self.of_label = _table(self.num_classes, 5 * narrow)
        self.joint = nn.Linear(width + narrow, 4 * width)
        self.dropout = nn.Dropout(dropout)
        self.to_score = nn.Linear(width, 1)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = needed(label, self.num_classes)
        of_image, of_label = maxout(self.of_image(images.flatten(1)), 5), maxout(self.of_label(label), 5)
        features: Tensor = self.dropout(maxout(self.joint(self.dropout(torch.cat([of_image, of_label], 1))), 4))
        return Critique(self.to_score(features).squeeze(1), features)


def maxout(units: Tensor, pieces: int) -> Tensor:
    """(N, pieces K) to (N, K): the largest of each `pieces` neighbours (Goodfellow et al. 2013, arXiv:1302.4389)."""
    return units.view(len(units), -1, pieces).amax(2)


def known_classes(num_classes: int | None) -> int:
    """The number of classes, or ValueError where there are none."""
    if not num_classes:
        raise ValueError("needs labels: choose a dataset with classes")
    return num_classes


def _table(num_classes: int, units: int) -> nn.Embedding:
    """A linear layer on one-hot labels, with the first weights that such a layer has in PyTorch."""
    table = nn.Embedding(num_classes, units)
    nn.init.uniform_(table.weight, -(num_classes**-0.5), num_classes**-0.5)
    return table


def _check(width: int, dropout: float) -> None:
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
