"""A discriminator that also looks at a statistic of its whole batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.wrappers.base import Build, Wrapper, probe


class BatchStatistics(Wrapper):
    """Adds w's to the scores, with s (N, count) a statistic of the batch's features and w a linear layer of its own.

    The scores of a network are linear in its features f, so this *is* concatenating s to f before the last layer:
    (v, w)'(f, s) = v'f + w's. The weights start as those of a linear layer that reads both. Scores (N,) get one number,
    scores (N, K, ...) K of them, the same at every place of a map. What is returned as features has the statistic too.

    The feature size is found by looking at a blank image of `image_shape` once. Raises ValueError for a discriminator
    that returns plain scores without features.
    """

    couples_images = True  # two passes are not one pass over twice as much

    def __init__(self, build: Build, image_shape: Sequence[int], count: int) -> None:
        super().__init__(build())
        if count < 1:
            raise ValueError(f"a batch statistic needs at least 1 number, not {count}")
        seen = probe(self.inside, image_shape)
        if seen.features is None:
            raise ValueError(
                f"the discriminator inside ({type(self.inside).__name__}) returns plain scores; "
                "it must return gan_lab.layers.critique.Critique(scores, features)"
            )
        self.feature_size = seen.features[0].numel()
        self.to_score = nn.Linear(count, seen.scores.shape[1] if seen.scores.dim() > 1 else 1, bias=False)
        bound = (self.feature_size + count) ** -0.5
        nn.init.uniform_(self.to_score.weight, -bound, bound)

    @abstractmethod
    def statistic(self, features: Tensor) -> Tensor:
        """(N, count) from features (N, ...)."""

    @abstractmethod
    def joined(self, features: Tensor, statistic: Tensor) -> Tensor:
        """The features with the statistic."""

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        critique = super().forward(images, condition)
        scores, features = critique.scores, critique.features
        assert features is not None
        with torch.autocast(images.device.type, enabled=False):  # differences of features need all their digits
            features = features.to(self.to_score.weight.dtype)
            statistic = self.statistic(features)
            extra = self.to_score(statistic)  # (N, K)
        extra = extra.squeeze(1) if scores.dim() == 1 else extra.view(*extra.shape, *[1] * (scores.dim() - 2))
        return replace(critique, scores=scores + extra, features=self.joined(features, statistic))
