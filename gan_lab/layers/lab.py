"""CIELAB (CIE 1976, white D65) of sRGB images (IEC 61966-2-1) and back: lightness apart from colour.

L is from 0, black, to 100, white; a (green to red) and b (blue to yellow) of colours that a screen can show lie within
+-110; of grays they are 0. Everything is differentiable, in fp32 or better.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
TO_RGB: list[list[float]] = torch.linalg.inv(torch.tensor(TO_XYZ, dtype=torch.float64)).tolist()
WHITE = (0.95047, 1.0, 1.08883)
DARK = 0.008856  # below which the cube root is a line
AB = 110.0  # what a and b are divided by, where they are to lie in [-1, 1]


def to_lab(images: Tensor) -> Tensor:
    """`(N, 3, H, W)` in [-1, 1] to L, a, b `(N, 3, H, W)`."""
    xyz = _mixed(linear(images), TO_XYZ)
    fx, fy, fz = (_root(each / white) for each, white in zip(xyz.unbind(1), WHITE, strict=True))
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), 1)


def from_lab(lab: Tensor) -> Tensor:
    """L, a, b `(N, 3, H, W)` to `(N, 3, H, W)` in [-1, 1]. A colour that no screen shows is mixed with the gray of its
    lightness until one does, so that L stays what it was. (Clipping each of red, green and blue, as is often done,
    changes it.)"""
    light, a, b = lab.float().unbind(1) if lab.dtype != torch.float64 else lab.unbind(1)
    fy = (light + 16) / 116
    roots = (fy + a / 500, fy, fy - b / 200)
    xyz = torch.stack([white * _cube(root) for root, white in zip(roots, WHITE, strict=True)], 1)
    return companded(shown(_mixed(xyz, TO_RGB), xyz[:, 1:2]))


def lightness(gray: Tensor) -> Tensor:
    """L of gray images `(N, 1, H, W)` in [-1, 1], whatever their number of channels would be."""
    return 116 * _root(linear(gray)) - 16


def luminance(images: Tensor) -> Tensor:
    """Y of `(N, 3, H, W)` in [-1, 1], from 0 to 1, `(N, 1, H, W)`; of one channel that one."""
    light = linear(images)
    return light if images.shape[1] == 1 else _mixed(light, TO_XYZ[1:2])


def shown(rgb: Tensor, gray: Tensor) -> Tensor:
    """Linear red, green and blue within 0 and 1: mixed with `gray`, their luminance, as far as is needed."""
    away = rgb - gray
    room = torch.where(away > 0, 1 - gray, gray)
    share = (room / away.abs().clamp(min=1e-6)).amin(1, keepdim=True).clamp(0, 1)
    return (gray + share * away).clamp(0, 1)


def linear(images: Tensor) -> Tensor:
    """[-1, 1] as a file has it to light, from 0 to 1."""
    levels = ((images if images.dtype == torch.float64 else images.float()) + 1) / 2
    return torch.where(levels <= 0.04045, levels / 12.92, ((levels.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def companded(light: Tensor) -> Tensor:
    """Light from 0 to 1 to [-1, 1] as a file has it."""
    bright = 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return 2 * torch.where(light <= 0.0031308, 12.92 * light, bright) - 1


def _root(t: Tensor) -> Tensor:
    return torch.where(t > DARK, t.clamp(min=DARK) ** (1 / 3), 7.787 * t + 16 / 116)


def _cube(f: Tensor) -> Tensor:
    dark = (f - 16 / 116) / 7.787
    return torch.where(dark > DARK, f**3, dark)


def _mixed(values: Tensor, matrix: Sequence[Sequence[float]]) -> Tensor:
    """Every pixel's three numbers mixed, without a matrix product, which autocast would round."""
    one, two, three = values.split(1, 1)
    return torch.cat([p * one + q * two + r * three for p, q, r in matrix], 1)
