"""The order in which samples are drawn, and how each is shown: all of it a function of seed, epoch and place."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.data.balance import Balanced, EachOnce
from gan_lab.engine.seeding import generator_of


class Cursor(NamedTuple):
    """How much has been drawn: `position` samples of epoch `epoch`, over all ranks together."""

    epoch: int
    position: int


class Places(NamedTuple):
    """Samples one after the other, `n` of them, and how each is shown. None: none is shown otherwise than it is stored.

    `indices` `(n,)` int64 into the store; `flips` `(n,)` bool: mirrored left to right; `turns` `(n,)` int64: quarter
    turns, 0 to 3; `corners` `(n, 2)` int64: row and column of what is cut out, in steps; `captions` `(n,)` int64: which
    caption, modulo their number.
    """

    indices: Tensor
    flips: Tensor | None = None
    turns: Tensor | None = None
    corners: Tensor | None = None
    captions: Tensor | None = None

    def part(self, where: slice) -> Places:
        indices, *shown = self
        return Places(indices[where], *[each if each is None else each[where] for each in shown])

    def share(self, rank: int, ranks: int, pieces: int = 1) -> Places:
        """A rank's equal part of each of the pieces."""
        indices, *shown = (each if each is None else each.unflatten(0, (pieces, ranks, -1)) for each in self)
        assert indices is not None
        own = [each if each is None else each[:, rank].flatten(0, 1) for each in shown]
        return Places(indices[:, rank].flatten(0, 1), *own)

    def to(self, device: torch.device) -> Places:
        """On a device. To CUDA they are copied from pinned memory, and nobody waits for it."""
        indices, *shown = (each if each is None else _sent(each, device) for each in self)
        assert indices is not None
        return Places(indices, *shown)


class Order:
    """Every epoch is a new permutation of `count` samples, or what `selection` draws of them; draws run on across its
    end.

    With `flip` each is mirrored with probability 1/2, with `turn` turned by a uniform number of quarters, with
    `corners` = (rows, columns) cut at one of so many places, with `captions` told by one of them. Streams of another
    `name` draw otherwise from the same seed. What is drawn lies on `device`.
    """

    def __init__(
        self,
        count: int,
        device: torch.device,
        flip: bool = False,
        turn: bool = False,
        corners: tuple[int, int] | None = None,
        captions: bool = False,
        name: str = "",
        selection: Balanced | None = None,
    ) -> None:
        self.count, self.device = count, device
        self.selection = selection or EachOnce(count)
        self.flip, self.turn, self.corners, self.captions = flip, turn, corners, captions
        self.name = f" {name}" if name else ""
        self._epochs: dict[tuple[int, int], Places] = {}

    def draw(self, seed: int, cursor: Cursor, wanted: int) -> tuple[Places, Cursor]:
        """The next `wanted` samples at `cursor`, and the cursor behind them."""
        epoch, position = cursor
        pieces = []
        while wanted:
            piece = self.ahead(seed, epoch, position, wanted)
            pieces.append(piece)
            taken = len(piece.indices)
            wanted, position = wanted - taken, position + taken
            if position == self.count:
                epoch, position = epoch + 1, 0
        return joined(pieces), Cursor(epoch, position)

    def ahead(self, seed: int, epoch: int, position: int, wanted: int) -> Places:
        """Samples of an epoch from `position` on, one at least and `wanted` at most."""
        return self.epoch(seed, epoch).part(slice(position, position + wanted))

    def epoch(self, seed: int, epoch: int) -> Places:
        """All samples of an epoch; the latest two are kept."""
        key = seed, epoch
        if key not in self._epochs:
            self._epochs = {old: kept for old, kept in self._epochs.items() if old == (seed, epoch - 1)}
            self._epochs[key] = self._shuffled(seed, epoch).to(self.device)
        return self._epochs[key]

    def _shuffled(self, seed: int, epoch: int) -> Places:
        return self.shown(self.selection.epoch(seed, epoch, self.name), f"{seed} {epoch}{self.name}")

    def shown(self, order: Tensor, words: str) -> Places:
        """Samples in this order, and how each is shown, which `words` decide."""
        n = len(order)
        flips = turns = corners = captions = None
        if self.flip:
            flips = torch.randint(2, (n,), generator=generator_of(f"{words} flip")).bool()
        if self.turn:
            turns = torch.randint(4, (n,), generator=generator_of(f"{words} turn"))
        if self.corners is not None:
            generator = generator_of(f"{words} crop")
            corners = torch.stack([torch.randint(most, (n,), generator=generator) for most in self.corners], 1)
        if self.captions:
            captions = torch.randint(2**31, (n,), generator=generator_of(f"{words} caption"))
        return Places(order, flips, turns, corners, captions)


def _sent(numbers: Tensor, device: torch.device) -> Tensor:
    return numbers.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else numbers.to(device)


def joined(pieces: list[Places]) -> Places:
    """One after the other."""
    if len(pieces) == 1:
        return pieces[0]
    indices, *shown = zip(*pieces, strict=True)
    return Places(torch.cat(indices), *[None if each[0] is None else torch.cat(each) for each in shown])
