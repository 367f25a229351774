"""Bicubic resizing as the files of super-resolution's test sets were made: MATLAB's imresize."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def resize(values: Tensor, height: int, width: int) -> Tensor:
    """Pictures `(..., H, W)` resized by a cubic kernel with a = -0.5 (Keys 1981), widened where they shrink, so that
    nothing is aliased; what lies beyond the edge is the edge. Rows first, then columns. Not clipped."""
    rows = weights(values.shape[-2], height, values.device, values.dtype)
    columns = weights(values.shape[-1], width, values.device, values.dtype)
    return (rows @ values) @ columns.T


def weights(size: int, target: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """`(target, size)`: what each new pixel takes of the old ones; every row sums to 1. Computed where it is needed."""
    scale = target / size
    narrow = min(scale, 1.0)
    taps = math.ceil(4 / narrow) + 2
    centres = (torch.arange(target, device=device, dtype=dtype) + 0.5) / scale - 0.5
    first = (centres - 2 / narrow).floor()
    places = first[:, None] + torch.arange(taps, device=device, dtype=dtype)
    shares = cubic((centres[:, None] - places) * narrow)
    shares = shares / shares.sum(1, keepdim=True)
    matrix = torch.zeros(target, size, device=device, dtype=dtype)
    return matrix.scatter_add_(1, places.long().clamp(0, size - 1), shares)


def cubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -0.5: 1 at 0, 0 at every other whole number, 0 beyond 2."""
    x = x.abs()
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, inner, torch.where(x < 2, outer, torch.zeros_like(x)))
