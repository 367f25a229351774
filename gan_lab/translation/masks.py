"""Which mask goes with which picture."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.photo import in_eight, read_photo, size_of
from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError
from gan_lab.translation.pictures import Item, Pictures


class Masks:
    """One for all pictures, or in a folder (zip, tar) one of the same name for each, whatever its ending. White is
    where something is missing. Raises ConfigError where one lacks its mask."""

    def __init__(self, path: Any, pictures: Pictures) -> None:
        self._files = Pictures(path, "mask")
        self._every = self._files.items[0] if self._files.single else None
        self._by_stem = {item.stem: item for item in self._files.items}
        missing = [item.name for item in pictures.items if self._of(item) is None]
        if missing:
            raise ConfigError(f"mask: {len(missing)} of {len(pictures.items)} pictures have none ({listed(missing)})")

    def read(self, item: Item) -> NDArray[np.bool_]:
        """`(H, W)`, true where something is missing. Raises ImageError for what is no picture."""
        mask = self._of(item)
        assert mask is not None
        found: NDArray[np.bool_] = in_eight(read_photo(self._files.read(mask)).colours).mean(2) >= 128
        return found

    def check_sizes(self, pictures: Pictures) -> None:
        """Raise ConfigError where a mask is not as large as its picture. What cannot be read is passed over."""
        wrong = []
        for item in pictures.items:
            try:
                size, mask = self._sizes(pictures, item)
            except ImageError:
                continue
            if size != mask:
                wrong.append(f"{item.name}: is {mask[1]}x{mask[0]}, and the picture {size[1]}x{size[0]}")
        if wrong:
            few = "" if len(pictures.items) == 1 else f"{len(wrong)} of {len(pictures.items)} are of another size: "
            raise ConfigError(f"mask: {few}{listed(wrong, 3)}")

    def _sizes(self, pictures: Pictures, item: Item) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width of a picture and of its mask. Where their headers differ their pixels are asked: not every
        file says at its beginning how it was held."""
        mask = self._of(item)
        assert mask is not None
        picture, other = pictures.read(item), self._files.read(mask)
        size, its_size = size_of(picture), size_of(other)
        return (size, its_size) if size == its_size else (read_photo(picture).size, read_photo(other).size)

    def _of(self, item: Item) -> Item | None:
        return self._every or self._by_stem.get(item.stem) or self._by_stem.get(PurePath(item.name).with_suffix(""))
