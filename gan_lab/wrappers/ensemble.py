"""Several discriminators as one (GMAN, Durugkar et al. 2016, arXiv:1611.01673)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique, of
from gan_lab.wrappers.base import Build


class DiscriminatorEnsemble(nn.Module):
    """`count` discriminators that differ in their first weights, each built by `build()`.

    Scores (N, count): one column each, maps of scores as their means; `SeveralDiscriminators` around the loss plays
    each column for itself (without it the columns count as one map of scores: their losses are averaged). Features are
    concatenated, (N, sum); class logits averaged; either is there only if every member gives it. A gradient penalty
    sees the mean of the columns. Raises ValueError for a `count` below 1.
    """

    def __init__(self, build: Build, count: int = 3) -> None:
        super().__init__()
        if count < 1:
            raise ValueError(f"count must be at least 1 discriminator, not {count}")
        self.members = nn.ModuleList([build() for _ in range(count)])
        self.num_classes = int(getattr(self.members[0], "num_classes", 0) or 0)
        self.images_per_score = int(getattr(self.members[0], "images_per_score", 1))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        critiques = [of(member(images, label)) for member in self.members]
        scores = torch.stack([critique.scores.reshape(len(critique.scores), -1).mean(1) for critique in critiques], 1)
        features = [critique.features.flatten(1) for critique in critiques if critique.features is not None]
        classes = [critique.class_logits for critique in critiques if critique.class_logits is not None]
        everywhere = len(critiques)
        return Critique(
            scores,
            torch.cat(features, 1) if len(features) == everywhere else None,
            torch.stack(classes).mean(0) if len(classes) == everywhere else None,
            tuple(each for critique in critiques for each in critique.maps),
        )
