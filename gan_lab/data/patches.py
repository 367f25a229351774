"""Large pictures as overlapping squares, so that a store of one shape holds pictures of any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.sources.images import ImageError
from gan_lab.errors import ConfigError

Pixels = NDArray[np.uint8]


class Patch(NamedTuple):
    """Squares of `size` pixels, each `stride` from the one before; the last of a row or column ends at the border."""

    size: int
    stride: int

    def places(self, length: int) -> list[int]:
        """Where squares begin along a side; none where it is shorter than one."""
        if length < self.size:
            return []
        last = length - self.size
        places = list(range(0, last + 1, self.stride))
        return places if places[-1] == last else [*places, last]


def check_patch(patch: Mapping[str, Any] | None) -> Patch | None:
    """Raises ConfigError for what is no size and stride."""
    if patch is None:
        return None
    given = dict(patch) if isinstance(patch, Mapping) else {}
    size = given.get("size")
    stride = size if given.get("stride") is None else given["stride"]
    whole = type(size) is int and type(stride) is int
    if not whole or not 1 <= stride <= size or not given.keys() <= {"size", "stride"}:  # type: ignore[operator]
        raise ConfigError(
            f"dataset.patch={patch}: the size of a square and the stride to the next, from 1 to size, "
            "e.g. dataset.patch={size:96,stride:48}"
        )
    return Patch(size, stride)  # type: ignore[arg-type]


def check_scale(patch: Patch, input_shape: Sequence[int]) -> tuple[int, int]:
    """How many pixels of an image and of an input are the side of the same square: (factor, 1) where inputs are
    smaller by that, (1, factor) where they are larger. Raises ConfigError where no whole factor leads there."""
    _, height, width = input_shape
    larger, smaller = max(patch.size, height), min(patch.size, height)
    factor = larger // smaller
    if height != width or larger % smaller:
        raise ConfigError(
            f"dataset.input_shape={[*input_shape]}: the part of a patch of {patch.size} must be a square, smaller or "
            "larger by a whole factor"
        )
    if height < patch.size and patch.stride % factor:
        raise ConfigError(f"dataset.patch.stride={patch.stride}: must be a multiple of {factor}, as inputs are smaller")
    return (factor, 1) if height < patch.size else (1, factor)


def cut(image: Pixels, patch: Patch) -> Iterator[Pixels]:
    """The squares of a picture `(C, H, W)`, row by row."""
    for top, left in _corners(image, patch):
        yield _square(image, top, left, patch.size)


def cut_pairs(
    image: Pixels, other: Pixels, patch: Patch, input_shape: Sequence[int]
) -> Iterator[tuple[Pixels, Pixels]]:
    """The squares of a picture, each with its part of the input `other`.

    The smaller of the two decides where they begin. What a larger one has beyond a whole multiple of it, at the right
    and below, is left out. Raises ImageError for two that do not have the same form.
    """
    mine, its = check_scale(patch, input_shape)
    _check_form(image, other, mine, its)
    steps = Patch(patch.size // mine, patch.stride // mine)
    for top, left in _corners(other if mine > 1 else image, steps):
        square = _square(image, top * mine, left * mine, patch.size)
        yield square, _square(other, top * its, left * its, steps.size * its)


def _corners(pixels: Pixels, patch: Patch) -> Iterator[tuple[int, int]]:
    for top in patch.places(pixels.shape[1]):
        for left in patch.places(pixels.shape[2]):
            yield top, left


def _square(pixels: Pixels, top: int, left: int, size: int) -> Pixels:
    return np.ascontiguousarray(pixels[:, top : top + size, left : left + size])


def _check_form(image: Pixels, other: Pixels, mine: int, its: int) -> None:
    for here, there in zip(image.shape[1:], other.shape[1:], strict=True):
        smaller, larger, factor = (there, here, mine) if mine > 1 else (here, there, its)
        if not factor * smaller <= larger < factor * (smaller + 1):
            raise ImageError(
                f"an image of {image.shape[2]}x{image.shape[1]} and an input of {other.shape[2]}x{other.shape[1]}, "
                f"where one should be {factor} times the other"
            )
