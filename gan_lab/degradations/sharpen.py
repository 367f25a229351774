"""Unsharp masking: what the inputs of Real-ESRGAN are made of, and what its pixel and perceptual losses aim at."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

RADIUS = 25  # of the blur, whose kernel has 51 pixels
SIGMA = 0.3 * (RADIUS - 1) + 0.8  # what OpenCV takes for a kernel of that size
WEIGHT, THRESHOLD = 0.5, 10 / 255


def sharpen(images: Tensor) -> Tensor:
    """`(N, C, H, W)` in [-1, 1] to the same, with half of what a blur takes away added where it is more than 10 of
    255 levels (code Real-ESRGAN, USMSharp); where that is, is blurred, too, so that nothing breaks off. Smaller images
    are mirrored at their edges more than once."""
    values = (images + 1) / 2
    away = values - _blurred(values)
    where = _blurred((away.abs() > THRESHOLD).to(values.dtype))
    sharp = (values + WEIGHT * away).clamp(0, 1)
    return 2 * torch.lerp(values, sharp, where) - 1


def _blurred(values: Tensor) -> Tensor:
    steps = torch.arange(-RADIUS, RADIUS + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-steps.square() / (2 * SIGMA**2))
    kernel = (kernel / kernel.sum()).expand(values.shape[1], 1, 1, -1)
    for dim in (2, 3):
        wide = _mirrored(values.transpose(2, 3) if dim == 2 else values)
        values = conv2d(wide, kernel, groups=values.shape[1])
        values = values.transpose(2, 3) if dim == 2 else values
    return values


def _mirrored(values: Tensor) -> Tensor:
    """Columns on both sides, `RADIUS` each."""
    missing = RADIUS
    while missing:
        step = min(missing, values.shape[3] - 1) or 1
        values = pad(values, (step, step, 0, 0), mode="reflect" if values.shape[3] > 1 else "replicate")
        missing -= step
    return values
