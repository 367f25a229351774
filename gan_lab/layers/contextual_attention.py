"""What is missing is put together from what is known elsewhere (Yu et al. 2018, arXiv:1801.07892, section 4.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d, fold, interpolate, max_pool2d, normalize, pad, softmax, unfold

KERNEL = 3  # of the patches that are compared
RATE = 2  # they are compared on a map so many times smaller
UNKNOWN = -1e4  # a score that no softmax sees, and that is finite where nothing is known


class ContextualAttention(nn.Module):
    """Features `(N, C, H, W)` and a mask `(N, 1, h, w)`, 1 where something is missing, to `(N, C, H, W)`.

    Every place of a map half as large asks, by the 3x3 patch around it, all places whose patches are known altogether:
    score = <patch, patch' / |patch'|>. Scores are added along both diagonals of (place, place'), once with places
    counted by rows and once by columns, so that neighbours copy from neighbours (equation 4). A softmax over
    `scale` * score says how much of the 4x4 patch of the whole map at each place is laid down; where patches overlap
    their mean is taken. Raises ValueError for sides that are odd. Each image has its own mask; `h` and `w` may be any.

    Deviations: unknown places have no part in the softmax, where the authors' code gives them the score 0 and takes
    their share away afterwards; where no place is known, all of them count. At the border, where fewer patches overlap,
    the mean is over those, where the code divides by 4 as it does inside.
    """

    def __init__(self, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        height, width = features.shape[2:]
        if height % RATE or width % RATE:
            raise ValueError(f"contextual attention: {height}x{width} features, both sides must be even")
        small = interpolate(features.float(), scale_factor=1 / RATE)
        asking = unfold(small, KERNEL, padding=KERNEL // 2)  # (N, C 9, places)
        with torch.autocast(features.device.type, enabled=False):
            scores = asking.transpose(1, 2) @ normalize(asking, dim=1, eps=1e-4)  # (N, places asking, places asked)
            scores = coherent(scores, *small.shape[2:]) * self.scale
            known = self._known(mask, small)
            shares = softmax(torch.where(known, scores, UNKNOWN), 2)
        laid = _patches(features) @ shares.to(features.dtype).transpose(1, 2)
        return _laid_down(laid, height, width) / _laid_down(_patches(torch.ones_like(features[:1, :1])), height, width)

    def _known(self, mask: Tensor, small: Tensor) -> Tensor:
        """`(N, 1, places)`: whether a patch touches nothing that is missing."""
        missing = adaptive_max_pool2d(mask.float(), small.shape[2:])
        return max_pool2d(missing, KERNEL, 1, KERNEL // 2).flatten(2) < 0.5


def _patches(features: Tensor) -> Tensor:
    """`(N, C 16, places)`: what is laid down."""
    return unfold(features, 2 * RATE, padding=RATE // 2, stride=RATE)


def _laid_down(patches: Tensor, height: int, width: int) -> Tensor:
    """The sum of patches where they overlap, `(N, C, H, W)`."""
    return fold(patches, (height, width), 2 * RATE, padding=RATE // 2, stride=RATE)


def coherent(scores: Tensor, height: int, width: int) -> Tensor:
    """`(N, places, places)`: each score with those of places one further on both sides, by rows, then by columns."""
    scores = _along_diagonals(scores)
    scores = _by_the_other_side(scores, height, width)
    return _by_the_other_side(_along_diagonals(scores), width, height)


def _along_diagonals(scores: Tensor) -> Tensor:
    wide = pad(scores, (1, 1, 1, 1))
    return wide[:, :-2, :-2] + scores + wide[:, 2:, 2:]


def _by_the_other_side(scores: Tensor, height: int, width: int) -> Tensor:
    """Places counted by columns that were counted by rows of a map of height x width."""
    places = scores.view(-1, height, width, height, width)
    return places.permute(0, 2, 1, 4, 3).reshape(scores.shape)
