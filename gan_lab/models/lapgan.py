"""LAPGAN's networks (Denton et al. 2015, arXiv:1506.05751): perceptrons for the coarsest level of a Laplacian pyramid,
convolutions for what is finer.

Sizes are those of the authors' code and its CIFAR-10 models; `width` scales them. A fine generator gets a plane of
noise beside the enlarged coarser image, as one more channel, and adds what it makes of both to that image; its output
is the whole picture of its level. So the discriminator, which in the paper is given what is to be added and adds the
enlarged image itself before its first layer, is here given the sum: no other network is needed to judge it.

With classes (the paper's class-conditional version) a fine network makes of the one-hot label one more plane, by a
linear layer and a ReLU; at the coarsest level the one-hot label continues the vector.

Deviations: images are in [-1, 1], which the coarsest level keeps by Tanh (the authors subtract a mean image and divide
by a deviation); a level of less than 9 pixels is padded in the discriminator, where otherwise nothing would be left;
the score is a logit. Weights start as PyTorch's default, which is that of the authors' Torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.dropout import Dropout
from gan_lab.layers.labels import as_vectors, require_label
from gan_lab.layers.laplacian import level_shape
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Readout, Score

SMALLEST = 9  # pixels that two valid convolutions of 5x5, the second in steps of 2, leave one of


class CoarseGenerator(nn.Module):
    """Latent (N, D), and labels (N,) where there are classes, to images (N, C, H, W) in [-1, 1] of the level that is
    `halvings` times halved: two hidden layers of `width` units.

    Raises ValueError for an image whose sides do not halve so often, and for a `width` below 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        halvings: int,
        width: int = 1200,
        num_classes: int | None = 0,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.latent_dim, self.halvings = latent_dim, halvings
        self.shape = level_shape(image_shape, halvings)
        _check(width)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + self.num_classes, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, math.prod(self.shape)),
            nn.Tanh(),
        )

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(self.layers[0])[:, : self.latent_dim]]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(_continued(latent, label, self.num_classes))
        return images.view(-1, *self.shape)


class CoarseDiscriminator(nn.Module):
    """Images (N, C, H, W) of that level, and labels (N,), to scores (N,): two hidden layers of `width` units, `dropout`
    after each. Raises ValueError as above, and for a `dropout` outside [0, 1)."""

    def __init__(
        self,
        image_shape: Sequence[int],
        halvings: int,
        width: int = 600,
        num_classes: int | None = 0,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.halvings = halvings
        self.image_shape = level_shape(image_shape, halvings)
        _check(width, dropout)
        self.layers = nn.Sequential(
            nn.Linear(math.prod(self.image_shape) + self.num_classes, width),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            Dropout(dropout),
        )
        self.to_score = Score(width)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(_continued(images.flatten(1), label, self.num_classes))
        return Critique(self.to_score(features), features)


class Generator(nn.Module):
    """The enlarged coarser image and a plane of noise (N, C + 1, H, W), and labels (N,), to images (N, C, H, W): the
    enlarged image and what three convolutions of `width` channels add to it. `latent_dim` is the size of the plane.

    Raises ValueError for an image whose sides do not halve so often, and for a `width` below 1.
    """

    def __init__(self, image_shape: Sequence[int], halvings: int, width: int = 64, num_classes: int | None = 0) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.halvings = halvings
        self.channels, *size = level_shape(image_shape, halvings)
        self.latent_dim = math.prod(size)
        _check(width)
        self.of_label = ClassPlane(self.num_classes, size) if self.num_classes else None
        planes = 1 + (self.of_label is not None)
        self.layers = nn.Sequential(
            nn.Conv2d(self.channels + planes, width, 7, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 7, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, self.channels, 5, padding=2),
        )

    def forward(self, source: Tensor, label: Tensor | None = None) -> Tensor:
        missing: Tensor = self.layers(_beside(self.of_label, source, label))
        return source[:, : self.channels] + missing


class Discriminator(nn.Module):
    """Images (N, C, H, W) of that level, and labels (N,), to scores (N,): two convolutions of `width` channels, then
    `dropout`. Raises ValueError as above, and for a `dropout` outside [0, 1)."""

    def __init__(
        self,
        image_shape: Sequence[int],
        halvings: int,
        width: int = 64,
        num_classes: int | None = 0,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.halvings = halvings
        self.image_shape = level_shape(image_shape, halvings)
        channels, *size = self.image_shape
        _check(width, dropout)
        padding = 0 if min(size) >= SMALLEST else 2
        self.of_label = ClassPlane(self.num_classes, size) if self.num_classes else None
        self.layers = nn.Sequential(
            nn.Conv2d(channels + (self.of_label is not None), width, 5, padding=padding),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 5, stride=2, padding=padding),
            nn.ReLU(inplace=True),
            Dropout(dropout),
        )
        rows, columns = ((side + 4 * padding - 9) // 2 + 1 for side in size)
        self.to_score = Readout(width, rows, columns, bias=True)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(_beside(self.of_label, images, label))
        return Critique(self.to_score(features), features)


class ClassPlane(nn.Module):
    """Labels (N,) to a plane (N, 1, H, W): relu(W one_hot + b)."""

    def __init__(self, num_classes: int, size: Sequence[int]) -> None:
        super().__init__()
        self.num_classes, self.size = num_classes, tuple(size)
        self.to_plane = nn.Linear(num_classes, math.prod(size))

    def forward(self, label: Tensor | None) -> Tensor:
        label = require_label(label, self.num_classes)
        assert label is not None
        plane: Tensor = self.to_plane(as_vectors(label, self.num_classes, self.to_plane.weight.dtype))
        return plane.relu().view(-1, 1, *self.size)


def _beside(of_label: nn.Module | None, maps: Tensor, label: Tensor | None) -> Tensor:
    """The maps with the plane of the class, where there are classes."""
    return maps if of_label is None else torch.cat((maps, of_label(label).to(maps.dtype)), 1)


def _continued(vectors: Tensor, label: Tensor | None, num_classes: int) -> Tensor:
    """The vectors (N, D) with the one-hot label, where there are classes."""
    label = require_label(label, num_classes)
    return vectors if label is None else torch.cat((vectors, as_vectors(label, num_classes, vectors.dtype)), 1)


def _check(width: int, dropout: float = 0.0) -> None:
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
