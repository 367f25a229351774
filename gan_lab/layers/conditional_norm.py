"""BatchNorm whose scale and shift are asked for: nobody, a class, or a vector. All are called `(features, condition)`.

De Vries et al. 2017 (arXiv:1707.00683); in a generator as by Miyato & Koyama 2018 (arXiv:1802.05637) for classes and
by Brock et al. 2018 (arXiv:1809.11096, appendix B) for vectors. The statistics are the whole batch's, whatever the
condition of each sample.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.layers.labels import look_up


class PlainNorm(nn.Module):
    """BatchNorm with one scale and shift per channel; the condition is not read. (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        normalised: Tensor = self.norm(features)
        return normalised


class ClassNorm(nn.Module):
    """One scale (first 1) and one shift (first 0) per class and channel; the condition is the label (N,), or attributes
    (N, A), in which scale and shift are then linear.

    They are plain parameters, not an `nn.Embedding`: spectral normalization leaves them alone, as it does BatchNorm's.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Parameter(torch.ones(num_classes, channels))
        self.shift = nn.Parameter(torch.zeros(num_classes, channels))

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None
        return modulate(self.norm(features), look_up(condition, self.scale, 1.0), look_up(condition, self.shift))


class VectorNorm(nn.Module):
    """Scale 1 + A c and shift B c, linear in the condition c (N, D), without bias or with."""

    def __init__(self, channels: int, condition_dim: int, bias: bool = False) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Linear(condition_dim, channels, bias=bias)
        self.shift = nn.Linear(condition_dim, channels, bias=bias)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None
        return modulate(self.norm(features), 1 + self.scale(condition), self.shift(condition))


def modulate(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Features (N, C, H, W), a scale and a shift (N, C) for each sample."""
    return features * scale[:, :, None, None] + shift[:, :, None, None]
