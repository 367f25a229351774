"""A table of pictures whose columns have names: what went in, what was made, what it should have been; or classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from gan_lab.pictures.grid import grid, to_bytes

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

INK, PAPER = (60, 60, 60), (255, 255, 255)
HEADER = 14  # pixels above the columns
APART = 12  # pixels between the stacks of a long table


def panel(columns: Mapping[str, Tensor], tile: int = 64, gap: int = 2) -> Tensor:
    """Columns `(rows, C, H, W)` in [-1, 1] by name to one uint8 picture `(3, H', W')`: a row is a sample, and the name
    of a column stands above it.

    Smaller columns are enlarged to the height of the tallest, then all by a whole factor to about `tile` pixels, both
    unsmoothed. Gray stands beside colour; of one or two channels the first is shown in gray, of more than three the
    first three. A table that is more than four times as tall as wide is parted into stacks side by side. A single
    column is a near-square `grid` without a name. Raises ValueError for no columns, and for columns of unequal length.
    """
    counts = {len(images) for images in columns.values()}
    if len(counts) != 1:
        raise ValueError(f"columns of one length, and at least one of them: {sorted(counts)} rows")
    if len(columns) == 1:
        return grid(_in_colour(next(iter(columns.values()))), None, tile, gap)
    tallest = max(images.shape[2] for images in columns.values())
    factor = max(1, round(tile / tallest))
    cells = {name: _enlarged(to_bytes(_in_colour(images)), tallest * factor) for name, images in columns.items()}
    rows, height = counts.pop(), tallest * factor + gap
    width = sum(images.shape[3] + gap for images in cells.values()) + gap
    stacks = max(1, math.isqrt(rows * height // width))
    each = math.ceil(rows / stacks)
    parts = [{name: images[at : at + each] for name, images in cells.items()} for at in range(0, rows, each)]
    picture = Image.new("RGB", (len(parts) * (width + APART) - APART, HEADER + each * height + gap), PAPER)
    for number, part in enumerate(parts):
        _draw(picture, part, number * (width + APART), gap)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def _draw(picture: Image.Image, cells: Mapping[str, Tensor], left: int, gap: int) -> None:
    """One stack, from `left` on: names, and the uint8 pictures `(rows, 3, H, W)` below them."""
    from PIL import ImageDraw, ImageFont  # only for columns: most runs show a plain grid, and start without them

    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    left += gap
    for name, images in cells.items():
        _, _, height, width = images.shape
        words = _fitted(name, width, draw, font)
        draw.text((left + (width - draw.textlength(words, font)) / 2, 1), words, INK, font)
        for row, image in enumerate(images):
            pixels = image.permute(1, 2, 0).contiguous().numpy()
            picture.paste(Image.fromarray(pixels), (left, HEADER + gap + row * (height + gap)))
        left += width + gap


def _fitted(
    name: str, width: int, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont
) -> str:
    """As much of a name as has room, with dots where that is not all of it. A font without Unicode shows `?`."""
    from PIL import ImageFont

    if isinstance(font, ImageFont.ImageFont):
        name = name.encode("latin-1", "replace").decode("latin-1")
    shown = name
    while len(shown) > 1 and draw.textlength(shown, font) > width:
        shown = f"{name[: len(shown.removesuffix('..')) - 1]}.."
    return shown


def _in_colour(images: Tensor) -> Tensor:
    """`(rows, 3, H, W)`."""
    return images[:, :3] if images.shape[1] >= 3 else images[:, :1].expand(-1, 3, -1, -1)


def _enlarged(images: Tensor, height: int) -> Tensor:
    """To this height, by the nearest pixel, the sides in proportion."""
    width = max(1, round(images.shape[3] * height / images.shape[2]))
    return interpolate(images, (height, width), mode="nearest-exact")
