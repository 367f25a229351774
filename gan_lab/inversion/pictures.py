"""Pictures that somebody gives, as images of the size of a run's."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lab.data.photo import read_photo
from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.degradations.gray import luma
from gan_lab.degradations.resize import resize
from gan_lab.errors import ConfigError
from gan_lab.sampling.photo_translator import photo_in_floats
from gan_lab.translation.pictures import Pictures

log = logging.getLogger(__name__)

MOST = 256  # pictures


class Given(NamedTuple):
    """Pictures by name, `(N, C, H, W)` in [-1, 1]."""

    names: list[str]
    images: Tensor


def read_pictures(path: Any, shape: tuple[int, int, int]) -> Given:
    """Those at a path, cut to the sides of `shape` `(C, H, W)` around their middle and resized. What cannot be read is
    left out and said. Raises ConfigError where there is none, or more than 256."""
    pictures = Pictures(path, "input")
    try:
        if len(pictures.items) > MOST:
            raise ConfigError(f"input: {len(pictures.items)} pictures are in {path}; {MOST} at once are the most")
        names, images, sizes, unread = [], [], set(), []
        for item in pictures.items:
            try:
                photo = read_photo(pictures.read(item))
            except ImageError as error:
                if len(pictures.items) == 1:
                    raise ConfigError(f"input: {item.name} cannot be read ({error})") from error
                unread.append(f"{item.name} ({error})")
                continue
            sizes.add(photo.size)
            names.append("_".join(item.stem.parts))
            images.append(fitted(photo_in_floats(photo), shape))
    finally:
        pictures.close()
    if not images:
        raise ConfigError(f"input: none of the {len(pictures.items)} pictures in {path} can be read")
    if unread:
        log.warning("left out, cannot be read: %s", listed(unread, 3))
    other = sorted(size for size in sizes if size != shape[1:])
    if other:
        named = ", ".join(f"{width}x{height}" for height, width in other[:3]) + (", ..." if len(other) > 3 else "")
        log.info("pictures of %s are cut around their middle and resized to %dx%d", named, shape[2], shape[1])
    return Given(names, torch.cat(images))


def fitted(picture: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """`(1, C', H', W')` as `(1, C, H, W)`: the largest part around its middle that has these sides, resized."""
    channels, height, width = shape
    picture = luma(picture) if channels == 1 else picture.expand(-1, channels, -1, -1)
    scale = min(picture.shape[2] / height, picture.shape[3] / width)
    sides = [
        min(max(round(side * scale), 1), there) for side, there in zip((height, width), picture.shape[2:], strict=True)
    ]
    top, left = ((there - side) // 2 for there, side in zip(picture.shape[2:], sides, strict=True))
    part = picture[..., top : top + sides[0], left : left + sides[1]]
    return part if part.shape[2:] == (height, width) else resize(part, height, width).clamp(-1, 1)
