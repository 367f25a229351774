"""StyleGAN's discriminator (`gan_lab.models.stylegan`): Progressive GAN's, smoothed before it halves."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.equalized import EqualizedLinear
from gan_lab.layers.labels import as_vectors, require_label
from gan_lab.models.progressive_discriminator import Trunk
from gan_lab.models.stylegan_synthesis import TAPS


class Discriminator(nn.Module):
    """Images (N, C, H, W) of the size that it has grown to, and labels (N,), if there are classes, to scores (N,): one
    of as many as there are classes, which the label picks.

    `group`: images that are compared with one another, null: the whole batch; a batch that it does not divide is one
    group. Raises ValueError as the generator.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 512,
        full: int = 32,
        num_classes: int | None = None,
        group: int | None = 4,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.trunk = Trunk(image_shape, width, full, group, TAPS)
        self.to_scores = EqualizedLinear(self.trunk.features, max(self.num_classes, 1))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = require_label(label, self.num_classes)
        features = self.trunk(images)
        scores: Tensor = self.to_scores(features)
        if label is None:
            return Critique(scores.squeeze(1), features)
        return Critique((scores * as_vectors(label, self.num_classes, scores.dtype)).sum(1), features)
