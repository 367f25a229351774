"""Noise of cameras: Gaussian, or Poisson, in colour or gray (Wang et al. 2021, arXiv:2107.10833, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.degradations.blur_kernels import uniform
from gan_lab.degradations.canvas import Canvas
from gan_lab.degradations.gray import luma

GAUSSIAN, GRAY = 0.5, 0.4  # how often it is that, or else Poisson; how often it is the same in all channels


def grainy(canvas: Canvas, sigma: tuple[float, float], scale: tuple[float, float]) -> Canvas:
    """Pictures in [0, 1] with noise, clipped: of a standard deviation in levels of 255, or of Poisson's times `scale`,
    both drawn for each between two bounds."""
    values = canvas.values
    n, device = len(values), values.device
    gray = uniform(n, 0, 1, device)[..., None] < GRAY
    white = torch.randn(values.shape, device=device)
    white = torch.where(gray, white[:, :1], white) * uniform(n, *sigma, device)[..., None] / 255
    shot = torch.where(gray, poisson(canvas, luma(values)), poisson(canvas, values))
    shot = shot * uniform(n, *scale, device)[..., None]
    gaussian = uniform(n, 0, 1, device)[..., None] < GAUSSIAN
    return canvas._replace(values=(values + torch.where(gaussian, white, shot)).clamp(0, 1))


def poisson(canvas: Canvas, values: Tensor) -> Tensor:
    """Poisson(x v) / v - x of x in 256 levels, where v is the number of levels that a picture has, rounded up to a
    power of two."""
    levels = (values * 255).round().clamp(0, 255)
    v = 2.0 ** torch.log2(distinct(levels, canvas.within())).ceil().view(-1, 1, 1, 1)
    x = levels / 255
    return torch.poisson(x * v) / v - x


def distinct(levels: Tensor, within: Tensor) -> Tensor:
    """`(N,)`: how many of 256 levels are in a picture, in any of its channels."""
    seen = torch.zeros(len(levels), 257, device=levels.device)
    where = torch.where(within, levels, 256.0).long().flatten(1)  # the last: what is no part of it
    return seen.scatter_(1, where, 1.0)[:, :256].sum(1).clamp(min=1)
