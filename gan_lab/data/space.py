"""What a store will take, told before a picture is read: on the disk, and each image of it in memory."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_lab.data.sources.images import MAX_PIXELS
from gan_lab.errors import ConfigError


@dataclass(frozen=True)
class Need:
    """What is to be stored: images of `shape`, which the user sets by `key`, of so many bytes a number, and perhaps an
    input of each; the `count` of None is not known yet."""

    key: str
    shape: Sequence[int]
    itemsize: int
    inputs: Sequence[int] | None
    count: int | None

    def check(self, folder: Path) -> None:
        """Raises ConfigError, with the bytes, for images of more pixels than any that is read, and for a store that the
        disk of `folder` has no room for."""
        each = math.prod(self.shape) * self.itemsize + (0 if self.inputs is None else math.prod(self.inputs))
        told = f"each takes {in_words(each)}"
        if self.count is not None:
            told = f"{self.count} of them take {in_words(each * self.count)}"
        for key, sides in ((self.key, self.shape), ("dataset.input_shape", self.inputs)):
            if sides is not None and math.prod(sides[1:]) > MAX_PIXELS:
                most = f"no picture of more than {MAX_PIXELS // 1_000_000} megapixels is read"
                raise ConfigError(f"{key}={list(sides)}: {told}, and {most}; take a smaller shape")
        free = free_bytes(folder)
        if self.count is not None and each * self.count > free:
            raise ConfigError(
                f"{self.key}={list(self.shape)}: {told}, and {in_words(free)} are free in {folder.parent}; take a "
                "smaller shape, free some, or set GAN_LAB_DATA elsewhere"
            )


def free_bytes(folder: Path) -> int:
    """On the disk where `folder` is or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def in_words(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
