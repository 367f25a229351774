"""What blurs and rings: the kernels of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, sections 3.1 and 3.4).

With d the place and S = R diag(sx^2, sy^2) R^T, q = d^T S^-1 d: a Gaussian exp(-q / 2), a generalised Gaussian
exp(-q^b / 2), a plateau 1 / (1 + q^b); isotropic where sx = sy. sinc: w J1(w r) / (2 pi r), what is left of a picture
below the frequency w, which rings. Each sums to 1.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

LARGEST = 21  # pixels of a side, and of every kernel that is returned
SIZES = tuple(range(7, LARGEST + 1, 2))
KINDS = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)  # isotropic and not: Gaussian, generalised, plateau
SINC = 0.1  # how often a kernel is one of those instead
SMALL, LOWEST_OF_SMALL, LOWEST = 13, math.pi / 3, math.pi / 5  # of a size below the first, and the others
BETAS = ((0.5, 4.0), (1.0, 2.0))  # of generalised Gaussians and of plateaus


class Shapes(NamedTuple):
    """A kernel each, `(N, 1, 1)`: `size` in pixels, `kind` a place in KINDS, `beta` for the last four of them."""

    size: Tensor
    kind: Tensor
    sigma_x: Tensor
    sigma_y: Tensor
    angle: Tensor
    beta: Tensor


def draw_kernels(n: int, sigma: tuple[float, float], device: torch.device) -> Tensor:
    """`(n, 21, 21)`: of any kind, `sigma` between two bounds, or a sinc."""
    shapes = draw_shapes(n, sigma, device)
    lowest = torch.where(shapes.size < SMALL, LOWEST_OF_SMALL, LOWEST)
    cutoff = lowest + torch.rand(n, 1, 1, device=device) * (math.pi - lowest)
    rings = torch.rand(n, 1, 1, device=device) < SINC
    return torch.where(rings, sinc(shapes.size, cutoff), blur(shapes))


def draw_sincs(n: int, share: float, device: torch.device) -> Tensor:
    """`(n, 21, 21)`: a `share` of them sincs, the others change nothing."""
    size, chosen = draw_sizes(n, device), torch.rand(n, 1, 1, device=device) < share
    cutoff = uniform(n, LOWEST_OF_SMALL, math.pi, device)
    down, across = places(device)
    return torch.where(chosen, sinc(size, cutoff), ((down == 0) & (across == 0)).float())


def draw_shapes(n: int, sigma: tuple[float, float], device: torch.device) -> Shapes:
    which = torch.rand(n, 1, 1, device=device)
    kind = torch.zeros_like(which, dtype=torch.int64)
    for edge in accumulate(KINDS[:-1]):
        kind = kind + (which > edge)
    plateau = kind >= 4
    low, most = (torch.where(plateau, BETAS[1][end], BETAS[0][end]) for end in (0, 1))
    below = torch.rand(n, 1, 1, device=device) < 0.5  # half of them up to 1, half from there on
    share = torch.rand(n, 1, 1, device=device)
    beta = torch.where(below, low + share * (1 - low), 1 + share * (most - 1))
    wide, high = (uniform(n, *sigma, device) for _ in range(2))
    return Shapes(draw_sizes(n, device), kind, wide, high, uniform(n, -math.pi, math.pi, device), beta)


def blur(shapes: Shapes) -> Tensor:
    """`(N, 21, 21)`: Gaussians, generalised ones and plateaus."""
    size, kind, wide, high, angle, beta = shapes
    down, across = places(size.device)
    high = torch.where(kind % 2 == 0, wide, high)
    along, beside = across * angle.cos() + down * angle.sin(), down * angle.cos() - across * angle.sin()
    distance = (along / wide).square() + (beside / high).square()
    power = distance ** torch.where(kind < 2, 1.0, beta)
    return normalised(torch.where(kind < 4, torch.exp(-power / 2), 1 / (1 + power)), size)


def sinc(size: Tensor, cutoff: Tensor) -> Tensor:
    """`(N, 21, 21)`: circular low-pass filters; frequencies above `cutoff`, in radians a pixel, are gone."""
    down, across = places(size.device)
    radius = torch.sqrt(down.square() + across.square())
    away = radius.clamp(min=0.5)
    values = cutoff * torch.special.bessel_j1(cutoff * away) / (2 * math.pi * away)
    return normalised(torch.where(radius > 0, values, cutoff.square() / (4 * math.pi)), size)


def normalised(kernels: Tensor, size: Tensor) -> Tensor:
    """Cut to their sizes, and summing to 1."""
    down, across = places(kernels.device)
    reach = torch.maximum(down.abs(), across.abs())
    cut = torch.where(reach <= (size - 1) / 2, kernels, 0.0)
    return cut / cut.sum((1, 2), keepdim=True)


def places(device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows `(21, 1)` and columns `(1, 21)`, counted from the middle."""
    along = torch.arange(LARGEST, device=device) - LARGEST // 2.0
    return along[:, None], along[None]


def draw_sizes(n: int, device: torch.device) -> Tensor:
    return 2 * torch.randint(SIZES[0] // 2, LARGEST // 2 + 1, (n, 1, 1), device=device) + 1


def uniform(n: int, low: float, high: float, device: torch.device) -> Tensor:
    """`(n, 1, 1)`."""
    return torch.rand(n, 1, 1, device=device) * (high - low) + low
