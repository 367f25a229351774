"""Outlines: what drawings are coloured from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from gan_lab.degradations.base import Degradation, Sides, Span
from gan_lab.degradations.gray import luma


class Edges(Degradation):
    """Dark lines on white where the image changes: the length of Sobel's gradient of the luma, as a share of
    `threshold`, from which on a line is black. A step from black to white has the length 1."""

    restores = False

    def __init__(self, threshold: float = 0.25) -> None:
        super().__init__()
        self.threshold = Span(threshold, "threshold", least=1e-3)

    def forward(self, images: Tensor) -> Tensor:
        gray = pad(luma(images), [1] * 4, mode="replicate")
        left, middle, right = gray[..., :-2], gray[..., 1:-1], gray[..., 2:]
        across = _smooth(right - left)
        down = (left + 2 * middle + right)[..., 2:, :] - (left + 2 * middle + right)[..., :-2, :]
        length = torch.sqrt(across.square() + down.square()) / 8
        return 1 - 2 * (length / self.threshold.draw(images)).clamp(max=1)

    def given(self, pictures: Tensor, hole: Tensor | None = None) -> Tensor:
        return luma(pictures)

    def shape(self, image: Sides) -> Sides:
        return 1, *image[1:]


def _smooth(values: Tensor) -> Tensor:
    """Each row with its neighbours, weighted 1, 2, 1."""
    return values[..., :-2, :] + 2 * values[..., 1:-1, :] + values[..., 2:, :]
