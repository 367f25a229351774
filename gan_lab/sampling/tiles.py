"""Large inputs in pieces: what is made of overlapping tiles, put together to what would be made of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.around import Around
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images


class Tiled(Around):
    """A sampler around one that takes inputs, for inputs of any size: memory is that of `at_once` tiles.

    An input larger than `tile` pixels (None: none is) is cut into tiles of that size, of which two neighbours share
    `overlap` pixels or more; what is made of them is put together, at whatever scale the first tile comes out. In the
    middle of an overlap one image ends and the next begins; with `blend` they fade into one another over so many pixels
    there, by weights that sum to one. Tiles lie on multiples of `multiple`, which the network needs its inputs to be of
    (its strides, multiplied); inputs that are not are continued as in a mirror, and of that nothing is left.

    The result is that of the whole input, but for rounding, where every pixel sees the same from within its tile: where
    `overlap - blend` is at least the receptive field (see `gan_lab.sampling.reach`). No overlap is enough for a network
    that looks at the whole image in evaluation mode (instance and group norm, attention, global pooling). All tiles of
    an image share its code.
    Raises ConfigError for a sampler without inputs and for sizes that do not go together, GanLabError for a network
    that makes images of a size which is neither a whole multiple of its input's nor a whole part of it.
    """

    def __init__(
        self,
        sampler: Sampler,
        tile: int | None = 256,
        overlap: int = 64,
        multiple: int = 1,
        blend: int = 0,
        at_once: int = 1,
    ) -> None:
        if "input" not in sampler.takes:
            raise ConfigError("tile: this generator takes no input that could be cut into tiles")
        for name, size in (("tile", tile), ("overlap", overlap)):
            if tile is not None and size is not None and size % multiple:
                near = max(size // multiple, 1) * multiple
                raise ConfigError(f"{name}: {size} is not a multiple of {multiple}, as this network needs; e.g. {near}")
        if tile is not None and not 0 <= blend <= overlap < tile:
            raise ConfigError(f"overlap: {overlap} must lie between blend, {blend}, and tile, {tile}")
        super().__init__(sampler)
        self.tile, self.overlap, self.multiple, self.blend, self.at_once = tile, overlap, multiple, blend, at_once

    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        height, width = request.input.shape[2:]
        grown = mirrored(request.input, -height % self.multiple, -width % self.multiple)
        request = self._settled(request)
        if self.tile is None or max(grown.shape[2:]) <= self.tile:
            made = self.sampler.images(request._replace(input=grown))
        else:
            made = (self._put_together(whole, request, index) for index, whole in enumerate(grown.split(1)))
        for images in made:
            down, across = self._scales(images, grown)
            yield images[:, :, : down.of(height), : across.of(width)]

    def _settled(self, request: Request) -> Request:
        """With the label and the code of each image, which all its tiles share."""
        label = self.each_in_turn(request.n) if request.label is None else request.label
        codes = request.codes
        if codes is None:
            codes = self.codes_of_seed(request.n, request.seed, request.truncation)
        return request._replace(label=label, codes=codes, truncation=None)

    def _put_together(self, whole: Tensor, request: Request, index: int) -> Tensor:
        """What is made of one input `(1, C, H, W)` whose sides are multiples."""
        assert self.tile is not None
        rows, columns = (starts(side, self.tile, self.tile - self.overlap) for side in whole.shape[2:])
        places = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
        windows: list[list[Window]] = []
        for at in range(0, len(places), self.at_once):
            some = places[at : at + self.at_once]
            cut = [whole[:, :, rows[r] : rows[r] + self.tile, columns[c] : columns[c] + self.tile] for r, c in some]
            tiles = torch.cat(cut)
            made = all_images(self.sampler, _of_tiles(request, index, tiles))
            if not windows:
                scales = self._scales(made, tiles)
                for scale, begin, size in zip(scales, (rows, columns), made.shape[2:], strict=True):
                    windows.append(windows_of([scale.of(start) for start in begin], size, scale.of(self.blend)))
                result = made.new_zeros(made.shape[1], *map(Scale.of, scales, whole.shape[2:]))
            for (row, column), image in zip(some, made, strict=True):
                high, wide = windows[0][row], windows[1][column]
                weights = high.weights[:, None] * wide.weights
                result[:, high.place, wide.place] += image[:, high.own, wide.own] * weights
        return result[None]

    def _scales(self, made: Tensor, of: Tensor) -> tuple[Scale, Scale]:
        """How much higher and wider images are than what they were made of."""
        found = []
        for after, before in zip(made.shape[2:], of.shape[2:], strict=True):
            if after % before and before % after:
                before_after = " becomes ".join(f"{width}x{height}" for height, width in (of.shape[2:], made.shape[2:]))
                raise GanLabError(
                    f"tile: {before_after}; one must be a whole multiple of the other to put tiles together"
                )
            smaller = max(before // after, 1)
            if self.multiple % smaller:
                raise GanLabError(
                    f"multiple: {self.multiple} must be one of {smaller}: images come out so much smaller"
                )
            found.append(Scale(max(after // before, 1), smaller))
        return found[0], found[1]


def mirrored(images: Tensor, down: int, right: int) -> Tensor:
    """`(N, C, H + down, W + right)`: continued as in a mirror, which does not repeat the last pixel."""
    while down or right:
        rows, columns = min(down, images.shape[2] - 1), min(right, images.shape[3] - 1)
        if rows or columns:
            images = pad(images, (0, columns, 0, rows), mode="reflect")
        else:  # of one pixel there is no mirror image
            rows, columns = down if images.shape[2] == 1 else 0, right if images.shape[3] == 1 else 0
            images = pad(images, (0, columns, 0, rows), mode="replicate")
        down, right = down - rows, right - columns
    return images


class Window(NamedTuple):
    """What a tile gives to the whole along one side: its pixels `own`, at `place`, by these weights."""

    own: slice
    place: slice
    weights: Tensor


class Scale(NamedTuple):
    """How much longer a side comes out than it went in: one of the two is 1."""

    times: int
    divided_by: int

    def of(self, size: int) -> int:
        """Rounded up."""
        return -(-size * self.times // self.divided_by)


def starts(side: int, tile: int, step: int) -> list[int]:
    """Where tiles begin along a side: every `step` pixels, and the last one ends with the side."""
    last = max(side - tile, 0)
    return [*range(0, last, step), last]


def windows_of(starts: list[int], tile: int, blend: int) -> list[Window]:
    """The windows of tiles along a side. From one tile to the next the weight passes in the middle of what both have,
    over `blend` pixels; at every pixel the weights of all tiles sum to one.

    Tile k weighs u_k - u_{k+1}, where u_k rises from 0 to 1 at the border of k-1 and k; u_0 is 1, the last u is 0.
    """
    side = starts[-1] + tile
    pixels = torch.arange(side, dtype=torch.float64) + 0.5
    risen = [torch.ones(side, dtype=torch.float64)]
    for before, after in pairwise(starts):
        border = (before + tile + after) // 2
        risen.append(((pixels - border) / max(blend, 1) + 0.5).clamp(0, 1) if blend else (pixels > border).double())
    risen.append(torch.zeros(side, dtype=torch.float64))
    found = []
    for start, (mine, next_) in zip(starts, pairwise(risen), strict=True):
        weights = mine - next_
        inside = weights.nonzero().flatten()
        first, behind = int(inside[0]), int(inside[-1]) + 1
        place = slice(first, behind)
        found.append(Window(slice(first - start, behind - start), place, weights[place].float()))
    return found


def _of_tiles(request: Request, index: int, tiles: Tensor) -> Request:
    """The request of image number `index` for tiles of its input."""
    label, caption, codes = (
        None if each is None else each[index : index + 1].expand(len(tiles), *each.shape[1:])
        for each in (request.label, request.caption, request.codes)
    )
    return Request(len(tiles), request.seed, label, caption, tiles, codes)
