"""Pictures of sizes of their own, drawn for each, in tensors of one size: so that a round can be recorded."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d

MODES = ("area", "bilinear", "bicubic")


class Canvas(NamedTuple):
    """`values` `(N, C, H, W)` hold pictures at their top left, `height` and `width` `(N, 1)` of them; what lies beyond
    is no part of them."""

    values: Tensor
    height: Tensor
    width: Tensor

    def within(self) -> Tensor:
        """`(N, 1, H, W)`, bool: what is part of a picture."""
        rows = torch.arange(self.values.shape[2], device=self.values.device) < self.height
        columns = torch.arange(self.values.shape[3], device=self.values.device) < self.width
        return (rows[:, :, None] & columns[:, None, :])[:, None]

    def extended(self) -> Tensor:
        """Pictures whose last row and column go on to the end."""
        places = (torch.arange(side, device=self.values.device) for side in self.values.shape[2:])
        return taken(self.values, *(torch.minimum(p, n - 1) for p, n in zip(places, self[1:], strict=True)))


def whole_canvas(images: Tensor) -> Canvas:
    """Pictures that fill it."""
    sides = (torch.full((len(images), 1), side, device=images.device) for side in images.shape[2:])
    return Canvas(images, *sides)


def filtered(canvas: Canvas, kernels: Tensor) -> Canvas:
    """Each picture, mirrored at its own edges, under its own kernel `(N, K, K)`, K odd."""
    n, channels, height, width = canvas.values.shape
    reach = kernels.shape[1] // 2
    sides = zip((height, width), canvas[1:], strict=True)
    mirrored = taken(canvas.values, *(mirror(side + 2 * reach, reach, own) for side, own in sides))
    flat = mirrored.reshape(1, n * channels, *mirrored.shape[2:])
    weights = kernels.to(flat.dtype).repeat_interleave(channels, 0)[:, None]
    return canvas._replace(values=conv2d(flat, weights, groups=n * channels).view(canvas.values.shape))


def resized(canvas: Canvas, height: Tensor, width: Tensor, most: tuple[int, int], mode: Tensor) -> Canvas:
    """Each picture to its own new size, `(N, 1)` each, on a canvas of `most`; `mode` `(N, 1, 1)` is a place in MODES.
    As torch's `interpolate` does it, without antialiasing."""
    rows = shares(canvas.height, height, canvas.values.shape[2], most[0], mode)
    columns = shares(canvas.width, width, canvas.values.shape[3], most[1], mode)
    values = rows[:, None] @ canvas.values @ columns.mT[:, None]
    return Canvas(values, height, width)


def shares(old: Tensor, new: Tensor, size: int, target: int, mode: Tensor) -> Tensor:
    """`(N, target, size)`: what each of `new` pixels takes of `old` ones."""
    device = old.device
    old, new = old.float()[:, :, None], new.float()[:, :, None]
    place = torch.arange(target, device=device).view(1, -1, 1).float()
    there = torch.arange(size, device=device).float()
    area = ((there >= (place * old / new).floor()) & (there < ((place + 1) * old / new).ceil())).float()
    area = area / area.sum(2, keepdim=True).clamp(min=1)
    centre = (place + 0.5) * old / new - 0.5
    first = centre.floor()
    apart = centre - first
    taps = [first + step for step in (-1, 0, 1, 2)]
    linear = [torch.zeros_like(apart), 1 - apart, apart, torch.zeros_like(apart)]
    cubic = [keys(apart + 1), keys(apart), keys(1 - apart), keys(2 - apart)]
    chosen = [torch.where(mode == 1, one, other) for one, other in zip(linear, cubic, strict=True)]
    where = torch.minimum(torch.cat(taps, 2).clamp(min=0), (old - 1)).long()
    between = torch.zeros(len(old), target, size, device=device).scatter_add_(2, where, torch.cat(chosen, 2))
    return torch.where(mode == 0, area, between)


def keys(x: Tensor, a: float = -0.75) -> Tensor:
    """Keys' cubic kernel for 0 <= x <= 2, with torch's `a`."""
    inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
    outer = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return torch.where(x <= 1, inner, outer)


def mirror(length: int, before: int, size: Tensor) -> Tensor:
    """`(N, length)`: which of the `size` `(N, 1)` pixels lies at each place, from `before` places before the first; the
    edges are mirrors, as often as it takes."""
    period = 2 * (size - 1).clamp(min=1)
    place = torch.remainder(torch.arange(length, device=size.device) - before, period)
    return torch.minimum(torch.minimum(place, period - place), size - 1)


def taken(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Those rows and columns, `(N, H')` and `(N, W')`, of pictures `(N, C, H, W)`."""
    n, channels, _, width = values.shape
    some = values.gather(2, rows[:, None, :, None].expand(n, channels, -1, width))
    return some.gather(3, columns[:, None, None, :].expand(n, channels, some.shape[2], -1))
