"""Which images there is something to augment in."""

from __future__ import annotations

from collections.abc import Sequence

from gan_lab.layers.first_map import check_image_shape


def check_has_area(image_shape: Sequence[int]) -> None:
    """ValueError unless both sides have 2 pixels at least: points in the plane have nothing to flip or move."""
    channels, height, width = check_image_shape(image_shape)
    if min(height, width) < 2:
        raise ValueError(f"images of {channels}x{height}x{width} are too small to augment; leave it out")
