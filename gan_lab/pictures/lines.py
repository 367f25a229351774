"""Curves as a picture, by Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SIZE, MARGIN = (640, 400), (64, 28, 16, 40)  # pixels; left, above, right, below
COLOURS = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75))
INK, FAINT = (60, 60, 60), (225, 225, 225)
NAMED, GAP = 8, 12  # curves that are told apart by name; pixels between two names
Curve = Sequence[tuple[float, float]]


def lines(curves: Mapping[str, Curve], title: str, across: str, logarithmic: bool = False) -> Tensor:
    """Curves of points (x, y) by name as one uint8 picture `(3, H, W)`; `logarithmic`: of y, of which what is not above
    0 is left out. Raises ValueError where there is no point."""
    shown = {name: [(x, math.log10(y) if logarithmic else y) for x, y in curve if y > 0 or not logarithmic]
             for name, curve in curves.items()}  # fmt: skip
    points = [point for curve in shown.values() for point in curve if all(map(math.isfinite, point))]
    if not points:
        raise ValueError("there is no point to draw")
    low, high = (tuple(pick(axis) for axis in zip(*points, strict=True)) for pick in (min, max))
    picture = Image.new("RGB", SIZE, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    left, above, right, below = MARGIN
    room = SIZE[0] - left - right, SIZE[1] - above - below

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = ((value - least) / ((most - least) or 1.0) for value, least, most in zip(point, low, high, strict=True))
        return left + x * room[0], above + (1 - y) * room[1]

    for tick in decades(low[1], high[1]) if logarithmic else ticks(low[1], high[1]):
        _, y = at((low[0], tick))
        draw.line([(left, y), (left + room[0], y)], FAINT)
        draw.text((4, y - 6), f"{10**tick if logarithmic else tick:.3g}", INK, font)
    for tick in ticks(low[0], high[0]):
        x, _ = at((tick, low[1]))
        draw.line([(x, above), (x, above + room[1])], FAINT)
        draw.text((x - 8, above + room[1] + 6), f"{tick:g}", INK, font)
    draw.text((left, 8), title, INK, font)
    draw.text((left + room[0] - draw.textlength(across, font), SIZE[1] - 16), across, INK, font)
    end = left + room[0]  # of the next name, in the line of the title
    for number, (name, curve) in enumerate(shown.items()):
        colour = COLOURS[number % len(COLOURS)]
        draw.line([at(point) for point in curve], colour, 2)
        if len(shown) <= NAMED:
            end -= int(draw.textlength(name, font))
            draw.text((end, 8), name, colour, font)
            end -= GAP
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, four to nine of them."""
    if high <= low:
        return [low]
    step = 10 ** math.floor(math.log10(high - low))
    step = next(step * share for share in (1, 0.5, 0.2) if (high - low) / (step * share) >= 4 or share == 0.2)
    return [round(number * step, 12) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Logarithms of 1, 2 and 5 times powers of ten between `low` and `high`, of powers alone where they are many; where
    there is none, `low`."""
    of = (1,) if high - low > 3 else (1, 2, 5)
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [power + math.log10(times) for power in powers for times in of]
    return [each for each in found if low <= each <= high] or [low]
