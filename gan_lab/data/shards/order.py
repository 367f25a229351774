"""The order in which samples of shards are drawn: nearly that of a whole permutation, and cheap to read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from gan_lab.data.order import Cursor, Order, Places
from gan_lab.data.shards.index import Index
from gan_lab.engine.seeding import generator_of

BLOCK_BYTES = 256 * 1024**2


class Plan(NamedTuple):
    """An epoch: the order of its chunks; where each begins, in samples; and the first chunk of every block, then the
    number of chunks."""

    chunks: NDArray[np.int64]
    starts: NDArray[np.int64]
    blocks: NDArray[np.int64]

    def block_at(self, position: int) -> int:
        """The block that a place of the epoch lies in."""
        chunk = int(np.searchsorted(self.starts, position, side="right")) - 1
        return int(np.searchsorted(self.blocks, chunk, side="right")) - 1

    def of_block(self, block: int) -> NDArray[np.int64]:
        return self.chunks[self.blocks[block] : self.blocks[block + 1]]


class ShardOrder(Order):
    """The chunks of all shards are permuted by `(seed, epoch)` and cut into blocks of about `buffer` samples (or
    BLOCK_BYTES); the samples of a block are permuted by `(seed, epoch, block)`. So every sample is drawn once an epoch,
    a block holds chunks of many shards, and where a stream stands says all that has to be read again. How samples are
    shown is given by seed, epoch and block alike (see `Order`)."""

    def __init__(self, index: Index, buffer: int, **shown: Any) -> None:
        super().__init__(index.count, torch.device("cpu"), **shown)
        self.index, self.buffer = index, buffer
        self._plans: dict[tuple[int, int], Plan] = {}
        self._blocks: dict[tuple[int, int, int], Places] = {}

    def ahead(self, seed: int, epoch: int, position: int, wanted: int) -> Places:
        plan = self.plan(seed, epoch)
        block = plan.block_at(position)
        skipped = position - int(plan.starts[plan.blocks[block]])
        return self._block(seed, epoch, block).part(slice(skipped, skipped + wanted))

    def near(self, seed: int, cursor: Cursor) -> list[int]:
        """The chunks of the block at `cursor`, and of the one behind it."""
        plan, epoch = self.plan(seed, cursor.epoch), cursor.epoch
        block = plan.block_at(cursor.position)
        here = plan.of_block(block)
        if block + 2 == len(plan.blocks):
            plan, block = self.plan(seed, epoch + 1), -1
        return [*here.tolist(), *plan.of_block(block + 1).tolist()]

    def plan(self, seed: int, epoch: int) -> Plan:
        """The chunks of an epoch in their order; the latest three are kept."""
        key = seed, epoch
        if key not in self._plans:
            chunks = self.index.chunks
            order = torch.randperm(len(chunks), generator=generator_of(f"{seed} {epoch}{self.name} chunks")).numpy()
            counts, sizes = chunks[order, 2], chunks[order, 3]
            weights = np.maximum(counts * BLOCK_BYTES, sizes * self.buffer)
            blocks = (weights.cumsum() - weights) // (self.buffer * BLOCK_BYTES)
            firsts = np.flatnonzero(np.diff(blocks, prepend=-1))
            self._plans = {old: kept for old, kept in self._plans.items() if abs(old[1] - epoch) < 2 and old[0] == seed}
            self._plans[key] = Plan(order, counts.cumsum() - counts, np.append(firsts, len(order)))
        return self._plans[key]

    def _block(self, seed: int, epoch: int, block: int) -> Places:
        key = seed, epoch, block
        if key not in self._blocks:
            words = f"{seed} {epoch} {block}{self.name}"
            rows = self.index.chunks[self.plan(seed, epoch).of_block(block)]
            samples = np.concatenate([np.arange(first, first + count) for count, first in rows[:, [2, 4]].tolist()])
            order = torch.randperm(len(samples), generator=generator_of(f"{words} samples"))
            self._blocks = dict([*self._blocks.items()][-1:])
            self._blocks[key] = self.shown(torch.from_numpy(samples)[order], words)
        return self._blocks[key]
