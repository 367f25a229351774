"""Discriminators whose answers are known, and the factory that a wrapper is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique


class Linear(nn.Module):
    """Features: the image as a vector (or as it is: `keep_map`); scores linear in them, (N,) or (N, outputs)."""

    def __init__(
        self, image_shape: list[int], outputs: int = 0, keep_map: bool = False, num_classes: int | None = None
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.keep_map, self.outputs = keep_map, outputs
        self.norm = nn.BatchNorm2d(image_shape[0])
        self.drop = nn.Dropout(0.5)
        self.to_score = nn.Linear(image_shape[0] * image_shape[1] * image_shape[2], outputs or 1)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        if self.num_classes and label is None:
            raise ValueError("needs labels")
        if self.training:
            self.norm(images)  # only for its statistics
        scores = self.to_score(self.drop(images.flatten(1)))
        classes = torch.ones(len(images), self.num_classes) * scores.mean() if self.num_classes else None
        features = images if self.keep_map else images.flatten(1)
        return Critique(scores if self.outputs else scores.squeeze(1), features, classes)


class Plain(nn.Module):
    """A user's network: plain scores, no features, no num_classes."""

    def __init__(self, image_shape: list[int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(image_shape[0], 1, 3, padding=1)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.conv(images)
        return scores  # (N, 1, H, W)


def factory(kind: type[nn.Module], image_shape: list[int], **settings: Any) -> Callable[..., nn.Module]:
    """As `assemble` makes it: called with what must be different."""

    def build(**changes: Any) -> nn.Module:
        return kind(**{"image_shape": image_shape, **settings, **changes}).eval()

    return build
