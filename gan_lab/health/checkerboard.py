"""Patterns of period two, as strides of transposed convolutions leave them (Odena et al. 2016,
https://distill.pub/2016/deconv-checkerboard)."""

from __future__ import annotations

import torch
from torch import Tensor

LAG = 4  # pixels: an even number, beyond what a second difference reaches
SMALLEST = LAG + 3  # side of an image in which anything can be seen


def amplitude(images: Tensor) -> Tensor:
    """How strong a pattern of period two is in images `(N, C, H, W)`, 0-d, in their own units: a for +-a in turn along
    rows and columns, a / sqrt 2 for stripes. Sides are `SMALLEST` or more.

    With d = (2 x_j - x_{j-1} - x_{j+1}) / 4, which is the pattern itself and 0 of any ramp, it is the root of the mean
    of d_j d_{j+4}, over both directions: 0 for noise, and an edge, which has none of its kind across itself, does not
    count.
    """
    both = [_repeats(along) for along in (images.float(), images.float().mT)]
    return torch.stack(both).mean().clamp(min=0).sqrt()


def _repeats(x: Tensor) -> Tensor:
    d = (2 * x[..., 1:-1] - x[..., :-2] - x[..., 2:]) / 4
    return (d[..., :-LAG] * d[..., LAG:]).mean()
