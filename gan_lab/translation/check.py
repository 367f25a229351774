"""By how much what is made of tiles differs from what is made of the whole, on a part of a picture."""

from __future__ import annotations

import numpy as np
import torch

from gan_lab.data.photo import Photo, read_photo
from gan_lab.data.sources.images import ImageError
from gan_lab.errors import ConfigError
from gan_lab.sampling.photo_translator import PhotoTranslator, photo_in_floats
from gan_lab.translation.pictures import Pictures


def difference_of_tiles(whole: PhotoTranslator, tiled: PhotoTranslator, pictures: Pictures) -> str:
    """In words: the largest difference over the middle of the first picture that is larger than a tile. Raises
    ConfigError where none is, and where nothing is cut."""
    tile = tiled.sampler.tile
    if tile is None:
        raise ConfigError("check: nothing is cut; tile=256")
    for item in pictures.items:
        try:
            photo = read_photo(pictures.read(item))
        except ImageError:
            continue
        if max(photo.size) > tile:
            part = _middle(photo, 2 * tile - tiled.sampler.tiled(tile).overlap)  # two tiles that share no more
            floats = photo_in_floats(part)
            hole = torch.zeros(1, 1, *part.size) if tiled.takes_mask else None
            difference = float((whole.images(floats, hole) - tiled.images(floats, hole)).abs().max())
            height, width = part.size
            return (
                f"check: max |tiled - whole| = {difference:.2g} in [-1, 1], {difference * 127.5:.2g} levels of 255, "
                f"over {width}x{height} pixels of {item.name}"
            )
    raise ConfigError(f"check: no picture is larger than a tile of {tile} pixels")


def _middle(photo: Photo, most: int) -> Photo:
    cut = []
    for side in photo.size:
        begin = max(side - most, 0) // 2
        cut.append(slice(begin, begin + most))
    rows, columns = cut
    alpha = None if photo.alpha is None else photo.alpha[rows, columns]
    return Photo(np.ascontiguousarray(photo.colours[rows, columns]), alpha)
