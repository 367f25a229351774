"""Conditional GAN (Mirza & Osindero 2014, arXiv:1411.1784): both players are told the class.

Discriminator: the paper's (section 4.1), image to a maxout layer (arXiv:1302.4389) of 240 units and 5 pieces, label to
one of 50 units and 5 pieces, both to one of 240 units and 4 pieces, then the score; dropout 0.5 after each. A label is
looked up in a table of N(0, 1), which is a linear layer on its one-hot vector.

Generator: the perceptron of `gan` (`mlp.Generator`) on the latent continued by `embedding_dim` numbers per class.
Deviation: the paper's has 1000 units for the label beside 200 for the latent, no BatchNorm, dropout 0.5, and learns by
momentum with a decaying rate. With Adam all label units move together, the latent is soon not heard any more, and each
class becomes one picture (seen on MNIST after a thousand steps; not with 10 numbers). Other deviations: Tanh for images
in [-1, 1]; the score is a logit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.dropout import Dropout
from gan_lab.layers.first_map import check_image_shape
from gan_lab.layers.labels import LabelTable, require_label
from gan_lab.layers.projection import Score
from gan_lab.models import mlp


class Generator(nn.Module):
    """Latent (N, D) and labels (N,) to images (N, C, H, W) in [-1, 1]; `width`, `depth`, `batch_norm` as in `mlp`.

    Raises ValueError for data without classes and for `embedding_dim` below 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 128,
        num_classes: int | None = None,
        embedding_dim: int = 10,
        depth: int = 3,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        if embedding_dim < 1:
            raise ValueError(f"embedding_dim must be at least 1, not {embedding_dim}")
        self.of_label = LabelTable(self.num_classes, embedding_dim)
        self.network = mlp.Generator(image_shape, latent_dim + embedding_dim, width, depth, batch_norm)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [each[:, : -self.of_label.embedding_dim] for each in self.network.latent_weights()]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        images: Tensor = self.network(torch.cat([latent, self.of_label(label)], 1))
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,) to scores (N,); `width` maxout units for the image and for both together.

    Raises ValueError for data without classes, `width` below 1 and a `dropout` outside [0, 1).
    """

    def __init__(
        self, image_shape: Sequence[int], width: int = 240, num_classes: int | None = None, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
        narrow = max(width * 5 // 24, 1)  # 50 of 240
        self.of_image = nn.Linear(math.prod(check_image_shape(image_shape)), 5 * width)
        self.of_label = LabelTable(self.num_classes, 5 * narrow)
        self.joint = nn.Linear(width + narrow, 4 * width)
        self.dropout = Dropout(dropout)
        self.to_score = Score(width)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = require_label(label, self.num_classes)
        of_image, of_label = maxout(self.of_image(images.flatten(1)), 5), maxout(self.of_label(label), 5)
        features: Tensor = self.dropout(maxout(self.joint(self.dropout(torch.cat([of_image, of_label], 1))), 4))
        return Critique(self.to_score(features), features)


def maxout(units: Tensor, pieces: int) -> Tensor:
    """(N, pieces K) to (N, K): the largest of each `pieces` neighbours (Goodfellow et al. 2013, arXiv:1302.4389)."""
    return units.view(len(units), -1, pieces).amax(2)


def known_classes(num_classes: int | None) -> int:
    """The number of classes, or ValueError where there are none."""
    if not num_classes:
        raise ValueError("needs labels: choose a dataset with classes")
    return num_classes
