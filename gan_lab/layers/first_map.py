"""How many halvings lie between an image and the smallest feature map of a convolutional network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

SMALLEST, LARGEST = 4, 7  # pixels along the shorter side of the first map


class FirstMap(NamedTuple):
    """A generator's first feature map (a discriminator's last) and the doublings from there to the image."""

    blocks: int
    height: int
    width: int


def first_map(image_shape: Sequence[int]) -> FirstMap:
    """The largest number of halvings that keeps both sides whole and at least 4 pixels.

    16, 32, 64 and 128 pixels end at 4x4, 28 at 7x7, 96x64 at 6x4. Raises ValueError, naming the nearest sizes that
    work, when there is no halving at all or the shorter side stays above 7 pixels (an odd factor too large: 89x109).
    """
    _, height, width = check_image_shape(image_shape)
    blocks = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) >= 2 * SMALLEST:
        height, width, blocks = height // 2, width // 2, blocks + 1
    if blocks < 1 or min(height, width) > LARGEST:
        raise ValueError(_refusal(image_shape))
    return FirstMap(blocks, height, width)


def channels_of(first: FirstMap, width: int, full: int) -> list[int]:
    """Of each resolution, smallest first. Raises ValueError for a `width` or a `full` below 1."""
    if width < 1 or full < 1:
        raise ValueError(f"width and full must be at least 1, not {width} and {full}")
    pixels = [4 << index for index in range(first.blocks + 1)]
    return [max(min(width * full // side, width), 1) for side in pixels]


def check_image_shape(image_shape: Sequence[int]) -> tuple[int, int, int]:
    """(channels, height, width), or ValueError."""
    if len(image_shape) != 3 or any(side < 1 for side in image_shape):
        raise ValueError(f"image_shape must be [channels, height, width], all at least 1, not {list(image_shape)}")
    channels, height, width = image_shape
    return channels, height, width


def _refusal(image_shape: Sequence[int]) -> str:
    channels, height, width = image_shape
    sizes = [size for blocks in range(1, 12) for size in _sizes_near(height, width, blocks)]
    sizes.sort(key=lambda size: (abs(size[0] - height) + abs(size[1] - width), size))
    smaller = next((size for size in sizes if size[0] <= height and size[1] <= width), None)
    larger = next((size for size in sizes if size[0] >= height and size[1] >= width), None)
    near = [size for size in (larger, smaller) if size is not None] or sizes[:1]
    named = " or ".join(f"{h}x{w}" for h, w in near)
    h, w = near[0]
    return (
        f"image_shape {channels}x{height}x{width} does not halve down to a map of {SMALLEST} to {LARGEST} pixels; "
        f"nearest sizes that work: {named} (dataset.image_shape=[{channels},{h},{w}])"
    )


def _sizes_near(height: int, width: int, blocks: int) -> list[tuple[int, int]]:
    """Sizes that work with this number of halvings: each side's two nearest multiples."""
    unit = 2**blocks
    rows, columns = ({max(side // unit, SMALLEST), max(-(-side // unit), SMALLEST)} for side in (height, width))
    return [(h * unit, w * unit) for h, w in itertools.product(rows, columns) if min(h, w) <= LARGEST]
