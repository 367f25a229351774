"""The colour transformations of ADA (Karras et al. 2020, arXiv:2006.06676, appendix B) as one affine map of RGB."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_lab.augmentations.matrices import compose, matrix, octaves, sometimes


def colours(like: Tensor, p: Tensor) -> Tensor:
    """(N, 4, 4) matrices of homogeneous RGB, each step with probability p; exactly the identity with p = 0.

    In this order: brightness + N(0, 0.2^2); contrast times 2^N(0, 0.5^2), about 0; the luma axis turned over (half of
    the time); hue turned about the luma axis by U(-pi, pi); saturation times 2^N(0, 1). `like` is (N,), `p` 0-d.
    """
    brightness = sometimes(p, torch.randn_like(like) * 0.2, 0.0)
    contrast = sometimes(p, octaves(torch.randn_like(like) * 0.5), 1.0)
    luma = 1 - 2 * sometimes(p, (torch.rand_like(like) * 2).floor(), 0.0)
    angle = sometimes(p, (2 * torch.rand_like(like) - 1) * math.pi, 0.0)
    saturation = sometimes(p, octaves(torch.randn_like(like)), 1.0)
    return compose(
        about_grey(saturation, torch.zeros_like(saturation), torch.ones_like(saturation)),
        about_grey(angle.cos(), angle.sin(), torch.ones_like(angle)),
        about_grey(torch.ones_like(luma), torch.zeros_like(luma), luma),
        diagonal(contrast, torch.zeros_like(contrast)),
        diagonal(torch.ones_like(brightness), brightness),
    )


def diagonal(factor: Tensor, offset: Tensor) -> Tensor:
    """factor * rgb + offset, (N, 4, 4)."""
    f, o = factor, offset
    return matrix([[f, 0.0, 0.0, o], [0.0, f, 0.0, o], [0.0, 0.0, f, o], [0.0, 0.0, 0.0, 1.0]])


def about_grey(across: Tensor, turn: Tensor, along: Tensor) -> Tensor:
    """across * (I - vv') + turn * [v]x + along * vv' with v = (1, 1, 1) / sqrt(3), the axis of greys; (N, 4, 4).

    With cosine, sine, 1 it is a turn about v (Rodrigues); with s, 0, 1 it scales the saturation; with 1, 0, -1 it turns
    light into dark (Householder). across = along = 1, turn = 0 is exactly the identity.
    """
    shared = (along - across) / 3
    same, left, right = across + shared, shared - turn / math.sqrt(3), shared + turn / math.sqrt(3)
    return matrix([[same, left, right, 0.0], [right, same, left, 0.0], [left, right, same, 0.0], [0.0, 0.0, 0.0, 1.0]])


def recolour(images: Tensor, colour: Tensor) -> Tensor:
    """Images (N, C, H, W) with their pixels mapped by `colour` (N, 4, 4).

    Three channels are red, green and blue. Any other number are greys: each becomes the mean of what the map makes of
    (x, x, x), so hue and saturation do nothing.
    """
    colour = colour[:, :3, :, None, None]  # (N, 3, 4, 1, 1)
    mapped: Tensor
    if images.shape[1] == 3:
        red, green, blue = images.split(1, 1)
        mapped = colour[:, :, 0] * red + colour[:, :, 1] * green + colour[:, :, 2] * blue + colour[:, :, 3]
    else:
        mapped = colour[:, :, :3].sum(2).mean(1, keepdim=True) * images + colour[:, :, 3].mean(1, keepdim=True)
    return mapped.to(images.dtype)
