"""Where the pixels of an augmented image come from: the pixel blits and the geometric transformations of ADA.

Karras et al. 2020 (arXiv:2006.06676, appendix B). Each function draws (N, 3, 3) matrices that send a pixel of the
result to its source, in pixels from the image's centre; with p = 0 they are exactly the identity. `like` is (N,) and
says how many, where and in what precision; `p` is a 0-d tensor.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_lab.augmentations.matrices import compose, octaves, rotation, scaling, shift, sometimes


def blit(like: Tensor, height: int, width: int, p: Tensor) -> Tensor:
    """Mirror left to right, turn by quarters, shift by whole pixels up to 1/8 of each side; each with probability p."""
    mirror = 1 - 2 * sometimes(p, _whole(like, 2), 0.0)
    quarters = sometimes(p, _whole(like, 4), 0.0)
    cosine = (quarters == 0).to(like) - (quarters == 2).to(like)  # exact, where cos and sin are not
    sine = (quarters == 1).to(like) - (quarters == 3).to(like)
    moved = torch.rand_like(like) < p
    x, y = (moved * (_between(like, 0.125) * side).round() for side in (width, height))
    return compose(scaling(mirror, torch.ones_like(mirror)), rotation(cosine, sine), shift(x, y))


def geometry(like: Tensor, height: int, width: int, p: Tensor) -> Tensor:
    """Scale, turn, stretch, turn again, shift by fractions of pixels.

    The two turns happen with probability 1 - sqrt(1 - p) each, so that there is one with probability p; the other
    three with probability p. Scales are log-normal with standard deviation 0.2 octaves, shifts normal with 1/8 of the
    side.
    """
    scale = sometimes(p, octaves(0.2 * torch.randn_like(like)), 1.0)
    turning = 1 - (1 - p).sqrt()
    before, after = (sometimes(turning, _between(like, math.pi), 0.0) for _ in range(2))
    stretch = sometimes(p, octaves(0.2 * torch.randn_like(like)), 1.0)
    moved = torch.rand_like(like) < p
    x, y = (moved * torch.randn_like(like) * (0.125 * side) for side in (width, height))
    return compose(
        scaling(1 / scale, 1 / scale),
        rotation(before.cos(), before.sin()),
        scaling(1 / stretch, stretch),
        rotation(after.cos(), after.sin()),
        shift(x, y),
    )


def _whole(like: Tensor, count: int) -> Tensor:
    """U{0, ..., count - 1}."""
    return (torch.rand_like(like) * count).floor()


def _between(like: Tensor, bound: float) -> Tensor:
    """U[-bound, bound)."""
    return (2 * torch.rand_like(like) - 1) * bound
