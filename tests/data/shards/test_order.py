from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from gan_lab.data.order import Cursor
from gan_lab.data.shards import order
from gan_lab.data.shards.index import Index
from gan_lab.data.shards.order import ShardOrder

START = Cursor(0, 0)


def drawn(of: ShardOrder, wanted: int, seed: int = 0, cursor: Cursor = START) -> list[int]:
    found: list[int] = of.draw(seed, cursor, wanted)[0].indices.tolist()
    return found


@pytest.mark.parametrize("buffer", [1, 50, 100, 10_000])
def test_every_sample_once_an_epoch_and_blocks_hold_whole_chunks(buffer: int, index: Index) -> None:
    of = ShardOrder(index, buffer)
    epochs = [drawn(of, 183, cursor=Cursor(epoch, 0)) for epoch in range(3)]
    assert all(sorted(epoch) == list(range(183)) for epoch in epochs)
    assert all(a != b for a, b in pairwise(epochs))
    assert drawn(ShardOrder(index, buffer), 183, seed=1) != epochs[0]
    plan = of.plan(0, 0)
    ends = [*plan.starts[plan.blocks[:-1]].tolist(), 183]
    for start, end in pairwise(ends):
        assert end - start < buffer + 64
        chunks = set(index.chunk_of(np.array(epochs[0][start:end])).tolist())
        assert sum(index.chunks[chunk, 2] for chunk in chunks) == end - start
    assert len(ends) - 1 == len(plan.blocks) - 1 >= 183 // (buffer + 64)


def test_a_block_is_bound_by_bytes_too(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "BLOCK_BYTES", 1)
    assert len(ShardOrder(index, 10_000).plan(0, 0).blocks) == len(index.chunks) + 1


@pytest.mark.parametrize("buffer", [50, 10_000])
def test_draws_of_any_size_are_the_same_order(buffer: int, index: Index) -> None:
    shown: Any = {"flip": True, "turn": True, "corners": (3, 4), "captions": True}
    straight, _ = ShardOrder(index, buffer, **shown).draw(3, Cursor(0, 0), 400)
    pieces, cursor = [], Cursor(0, 0)
    for size in (1, 7, 182, 64, 146):
        piece, cursor = ShardOrder(index, buffer, **shown).draw(3, cursor, size)
        pieces.append(piece)
    assert cursor == Cursor(2, 34)
    for whole, parts in zip(straight, zip(*pieces, strict=True), strict=True):
        assert whole is not None
        assert torch.equal(whole, torch.cat(parts))


def test_near_is_this_block_and_the_next_also_across_an_epoch(index: Index) -> None:
    of = ShardOrder(index, 60)
    for epoch, position in ((0, 0), (0, 100), (0, 182), (1, 5)):
        plan = of.plan(0, epoch)
        block = plan.block_at(position)
        left = int(plan.starts[plan.blocks[block + 1]] if block + 2 < len(plan.blocks) else 183) - position
        soon = index.chunk_of(np.array(drawn(of, left + 1, cursor=Cursor(epoch, position))))
        assert set(soon.tolist()) <= set(of.near(0, Cursor(epoch, position)))


def test_names_shuffle_otherwise(index: Index) -> None:
    assert drawn(ShardOrder(index, 60, name="input"), 183) != drawn(ShardOrder(index, 60), 183)
