"""Holes: what inpainting starts from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from gan_lab.degradations.base import Degradation, Sides, Span

KINDS = ("box", "strokes", "both")
STROKES, VERTICES = (1, 3), (4, 12)  # the least and the most, of an image and of a stroke
WIDTHS = (12 / 256, 40 / 256)  # of a stroke, as a share of the picture's side
TURN, SPREAD = 2 * math.pi / 5, 2 * math.pi / 15


class Mask(Degradation):
    """Parts of the image are taken away. The last channel of the input is the mask, 1 where something is missing and 0
    elsewhere; what is missing is 0 in the others.

    `kind` box: a rectangle, each of its sides a share of the image's between `smallest` and `largest`, anywhere inside
    (`centred`: in the middle, as in Context Encoders, Pathak et al. 2016, arXiv:1604.07379). strokes: 1 to 3 brush
    strokes of 4 to 12 vertices (free-form masks, Yu et al. 2018, arXiv:1806.03589, algorithm 1, in shares of a picture
    of 256x256). Every second segment goes back, which makes a stroke zigzag; here each stroke has a direction of its
    own, where the published code has one for all. both: a box and strokes.
    """

    takes_mask = True

    def __init__(self, kind: str = "box", smallest: float = 0.25, largest: float = 0.5, centred: bool = False) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind={kind}: choose {', '.join(KINDS)}")
        self.kind = kind
        self.sides = Span([smallest, largest], "smallest, largest", most=1)
        self.centred = centred

    def forward(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        hole = torch.zeros(n, 1, height, width, dtype=torch.bool, device=images.device)
        if self.kind != "strokes":
            hole = hole | self._box(images)
        if self.kind != "box":
            hole = hole | strokes(n, height, width, images.device)
        return self.given(images, hole)

    def given(self, pictures: Tensor, hole: Tensor | None = None) -> Tensor:
        assert hole is not None
        return torch.cat([pictures.masked_fill(hole.bool(), 0), hole.to(pictures.dtype)], 1)

    def shape(self, image: Sides) -> Sides:
        return image[0] + 1, *image[1:]

    def _box(self, images: Tensor) -> Tensor:
        """`(N, 1, H, W)`, bool."""
        inside = []
        for dim in (2, 3):
            size = images.shape[dim]
            length = (self.sides.draw(images) * size).round().clamp(min=1)
            where = 0.5 if self.centred else torch.rand_like(length)
            start = (where * (size - length + (0 if self.centred else 1))).floor()
            along = torch.arange(size, device=images.device).view([-1, 1] if dim == 2 else [1, -1])
            inside.append((along >= start) & (along < start + length))
        return inside[0] & inside[1]


def strokes(n: int, height: int, width: int, device: torch.device) -> Tensor:
    """`(n, 1, height, width)`, bool: where a brush went, with round joints."""
    each = (n, STROKES[1], 1, 1)
    used = torch.arange(STROKES[1], device=device).view(1, -1, 1, 1) < _whole((n, 1, 1, 1), *STROKES, device)
    segments = _whole(each, *VERTICES, device) * used
    radius = (torch.rand(each, device=device) * (WIDTHS[1] - WIDTHS[0]) + WIDTHS[0]) * (height + width) / 4
    rows = torch.arange(height, device=device).view(-1, 1) + 0.5
    columns = torch.arange(width, device=device).view(1, -1) + 0.5
    hole = torch.zeros(*each[:2], height, width, dtype=torch.bool, device=device)
    for place, ((y, x), (to_y, to_x)) in enumerate(pairwise(path(each, height, width, device))):
        hole = hole | ((_distance(rows, columns, y, x, to_y, to_x) <= radius) & (place < segments))
    return hole.any(1, keepdim=True)


def path(shape: tuple[int, ...], height: int, width: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """The vertices (y, x) of as many strokes as `shape` holds, one after the other."""
    y, x = torch.rand(shape, device=device) * height, torch.rand(shape, device=device) * width
    yield y, x
    heading = torch.rand(shape, device=device) * 2 * math.pi
    reach = math.hypot(height, width) / 8
    for vertex in range(VERTICES[1]):
        turn = TURN + SPREAD * (2 * torch.rand(shape, device=device) - 1)
        angle = heading + (turn if vertex % 2 else -turn)
        length = (reach + reach / 2 * torch.randn(shape, device=device)).clamp(0, 2 * reach)
        y, x = (y + length * angle.sin()).clamp(0, height), (x + length * angle.cos()).clamp(0, width)
        yield y, x


def _distance(rows: Tensor, columns: Tensor, y: Tensor, x: Tensor, to_y: Tensor, to_x: Tensor) -> Tensor:
    """From every pixel to the segment between two points."""
    dy, dx = to_y - y, to_x - x
    along = ((rows - y) * dy + (columns - x) * dx) / (dy.square() + dx.square()).clamp(min=1e-6)
    along = along.clamp(0, 1)
    return torch.sqrt((rows - y - along * dy).square() + (columns - x - along * dx).square())


def _whole(shape: tuple[int, ...], least: int, most: int, device: torch.device) -> Tensor:
    return torch.randint(least, most + 1, shape, device=device)
