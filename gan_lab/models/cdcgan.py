"""DCGAN's networks (arXiv:1511.06434) under the condition of a label (Mirza & Osindero 2014, arXiv:1411.1784).

There is no paper of this name; the way the label enters is the usual one. Generator: the one-hot label continues the
latent (a longer vector of its own per class would learn faster than the latent and drown it: each class one picture).
Discriminator: a learned plane per class, first N(0, 1), is one more channel of the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.labels import LabelTable, as_vectors, require_label
from gan_lab.models import dcgan
from gan_lab.models.cgan import known_classes


class Generator(nn.Module):
    """Latent (N, D) and labels (N,) to images (N, C, H, W) in [-1, 1].

    Raises ValueError for data without classes and for an image size that does not halve down to 4 to 7 pixels.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 64,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        self.network = dcgan.Generator(image_shape, latent_dim + self.num_classes, width)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [each[:, : -self.num_classes] for each in self.network.latent_weights()]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        assert label is not None
        images: Tensor = self.network(torch.cat([latent, as_vectors(label, self.num_classes, latent.dtype)], 1))
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,) to scores (N,). `normalization` as in DCGAN. Raises ValueError as above."""

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 64,
        num_classes: int | None = None,
        normalization: str = "batch",
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        channels, *size = image_shape
        self.network = dcgan.Discriminator([channels + 1, *size], width, normalization)
        self.of_label = LabelTable(self.num_classes, size[0] * size[1])

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = require_label(label, self.num_classes)
        plane = self.of_label(label).view(len(images), 1, *images.shape[2:])
        critique: Critique = self.network(torch.cat([images, plane.to(images.dtype)], 1))
        return critique
