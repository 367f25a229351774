"""Inputs of any size: large ones in tiles, where that is asked for or the memory does not let them be whole."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from gan_lab.engine.shortage import is_shortage
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.around import Around
from gan_lab.sampling.finite import Finite
from gan_lab.sampling.reach import reach_of
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler
from gan_lab.sampling.tiles import Tiled

log = logging.getLogger(__name__)

OVERLAP = 64  # pixels that tiles share at most by themselves, where that does not make them the whole
LEAST = 16  # pixels of a tile


class AnySize(Around):
    """A sampler around one whose network was trained on inputs `shape` `(C, H, W)`.

    Inputs larger than `tile` pixels (None: none is) are cut; `overlap` is what two tiles share, None for so much that
    they make the whole, where that is less than half of a tile. What more they share than they need, they fade over;
    where they share less, they fade over half of it, and that is said. Where memory runs out tiles become half as
    large. The sides of inputs are made multiples of what the network says as `multiple` (1 where it says nothing).
    `precision` is that of `Finite`.

    Raises ConfigError for tiles of a network that looks at the whole input and for sizes that do not go together;
    GanLabError for an input that the network does not take, and where no tile is small enough.
    """

    def __init__(
        self,
        sampler: Sampler,
        shape: tuple[int, int, int],
        tile: int | None = None,
        overlap: int | None = None,
        precision: str = "fp32",
    ) -> None:
        super().__init__(Finite(sampler, precision))
        self.bare = sampler
        self.shape, self.tile, self.overlap = shape, tile, overlap
        said = (getattr(module, "multiple", None) for module in sampler.network.modules())
        self.multiple = next((number for number in said if type(number) is int), 1)
        self._warned = False
        if tile is not None:
            self.tiled(tile)

    @cached_property
    def reach(self) -> int | None:
        """See `reach_of`."""
        return reach_of(self.bare, self.shape[0], self.multiple)

    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        height, width = request.input.shape[2:]
        while True:
            cut = self.tile is not None and max(height, width) > self.tile
            around = self.tiled(self.tile) if cut and self.tile else Tiled(self.sampler, None, multiple=self.multiple)
            try:
                made = list(around.images(request))
                break
            except (RuntimeError, ValueError, MemoryError) as error:
                if not is_shortage(error):
                    raise self._not_taken(height, width, error) from error
            self.tile = self._half(self.tile if cut and self.tile else max(height, width), f"{width}x{height}")
        yield from made

    def tiled(self, tile: int) -> Tiled:
        """In tiles of this size."""
        if self.reach is None:
            raise ConfigError(
                "tile: this network looks at the whole picture at once (statistics of the image, or attention), so its "
                "tiles would differ from one another; tile=whole"
            )
        needed = self._multiple_of(2 * self.reach + self.multiple - 1)
        overlap = self.overlap
        if overlap is None:
            overlap = needed if needed <= tile // 2 else self._multiple_of(min(OVERLAP, tile // 4))
        spare = overlap - needed
        if spare < 0 and not self._warned:
            self._warned = True
            log.warning(
                "overlap: this network sees %d pixels to every side; tiles of %d that share %d are nearly the whole, "
                "those that share %d would be",
                *(self.reach, tile, overlap, needed),
            )
        return Tiled(
            self.sampler, tile, overlap, self.multiple, min(spare, overlap // 2) if spare >= 0 else overlap // 2
        )

    def _half(self, tile: int, size: str) -> int:
        """Half of a tile for which there was no memory."""
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        half = self._multiple_of(tile // 2)
        if self.reach is None:
            raise GanLabError(
                f"out of memory: {size} is too large for this network, which looks at the whole picture; give a "
                "smaller one, or device=cpu"
            )
        if half < max(2 * self.multiple, LEAST):
            raise GanLabError(f"out of memory, even in tiles of {tile} pixels; device=cpu may have more")
        log.warning("out of memory; going on in tiles of %d", half)
        if self.overlap is not None and self.overlap >= half:
            self.overlap = None
        return half

    def _multiple_of(self, size: int) -> int:
        """The multiple at or below it."""
        return size // self.multiple * self.multiple

    def _not_taken(self, height: int, width: int, error: Exception) -> Exception:
        """Of pictures as large as those of the training it says nothing of sizes."""
        _, high, wide = self.shape
        if (height, width) == (high, wide) or isinstance(error, GanLabError):
            return error
        small = height < high or width < wide
        what = "is smaller than this network can take" if small else "is a size that this network does not take"
        reason = " ".join(str(error).split())[:120]
        return GanLabError(f"{width}x{height} {what}; it was trained on {wide}x{high} ({reason})")
