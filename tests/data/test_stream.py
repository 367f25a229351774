from __future__ import annotations

import threading
import warnings
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gan_lab.data.batch import Batch
from gan_lab.data.packing import pack
from gan_lab.data.sources.points import Ring
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.errors import ConfigError, GanLabError

from .conftest import Array

COUNT = 23
KINDS: dict[str, dict[str, Any]] = {"resident": {}, "mapped": {"resident_limit": 0}}


@pytest.fixture
def store(root: Path) -> Store:
    """COUNT images whose every pixel is ten times their index, labelled by the index modulo 3."""
    source = Array(COUNT, (3, 4, 5))
    source.images[:] = 10 * np.arange(COUNT, dtype=np.uint8)[:, None, None, None]
    return pack(source, (3, 4, 5), "crop", root / "array-5x4x3-0", "array")


def drawn(batch: Batch) -> list[int]:
    """Which images a batch of `store` holds."""
    return ((batch.image[:, 0, 0, 0] + 1) * 127.5 / 10).round().int().tolist()


def same(a: Batch, b: Batch) -> bool:
    assert a.label is not None
    assert b.label is not None
    return torch.equal(a.image, b.image) and torch.equal(a.label, b.label)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_what_the_store_holds(kind: str, root: Path) -> None:
    source = Array(6, (3, 4, 5))
    store = pack(source, (3, 4, 5), "crop", root / "array-5x4x3-0", "array")
    batch = Stream(store, 6, 0, **KINDS[kind]).next()
    assert batch.image.dtype == torch.float32
    assert batch.label is not None
    assert batch.label.dtype == torch.int64
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    expected = torch.from_numpy(source.images).float() / 127.5 - 1
    order = [int((expected == image).all(dim=(1, 2, 3)).nonzero()) for image in batch.image]
    assert sorted(order) == list(range(6))
    assert torch.equal(batch.image, expected[order])
    assert batch.label.tolist() == [index % 3 for index in order]


def test_0_and_255_are_exactly_minus_one_and_one(root: Path) -> None:
    source = Array(2, (1, 2, 2))
    source.images[0], source.images[1] = 0, 255
    stream = Stream(pack(source, (1, 2, 2), "crop", root / "array-2x2x1-0", "array"), 2, 0)
    images = stream.next().image
    assert images.is_contiguous()
    assert sorted(images.unique().tolist()) == [-1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_channels_last_changes_the_layout_only(kind: str, store: Store) -> None:
    last, first = (Stream(store, 7, 0, channels_last=flag, **KINDS[kind]) for flag in (True, False))
    for _ in range(5):
        a, b = last.next(), first.next()
        assert same(a, b)
        assert b.image.is_contiguous()
        assert a.image.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 5, 7, 22, 23, 24, 60])
def test_every_image_is_drawn_once_per_epoch(kind: str, size: int, store: Store) -> None:
    stream = Stream(store, size, 0, **KINDS[kind])
    seen: list[int] = []
    while len(seen) < 4 * COUNT:
        batch = stream.next()
        assert len(batch.image) == size
        seen += drawn(batch)
    epochs = [seen[start : start + COUNT] for start in range(0, 4 * COUNT, COUNT)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert all(a != b for a, b in pairwise(epochs))
    assert epochs[0] != list(range(COUNT))


def test_labels_go_with_their_images(store: Store) -> None:
    for kind in KINDS.values():
        stream = Stream(store, 10, 0, **kind)
        for _ in range(7):
            batch = stream.next()
            assert batch.label is not None
            assert batch.label.tolist() == [index % 3 for index in drawn(batch)]


@pytest.mark.parametrize("size", [1, 7, 50])
def test_resident_and_mapped_are_the_same_stream(size: int, store: Store) -> None:
    resident, mapped = (Stream(store, size, 3, **kind) for kind in KINDS.values())
    assert resident.resident
    assert not mapped.resident
    for _ in range(30):
        assert same(resident.next(), mapped.next())
        assert resident.state_dict() == mapped.state_dict()
    mapped.close()
    assert same(resident.next(), mapped.next())  # a closed stream opens again


def test_the_limit_decides_where_the_images_live(store: Store) -> None:
    assert Stream(store, 1, 0, resident_limit=store.nbytes).resident
    assert not Stream(store, 1, 0, resident_limit=store.nbytes - 1).resident


def test_the_seed_decides(store: Store) -> None:
    def orders(seed: int) -> list[list[int]]:
        stream = Stream(store, COUNT, seed)
        return [drawn(stream.next()) for _ in range(3)]

    assert orders(1) == orders(1)
    every = [tuple(order) for seed in range(3) for order in orders(seed)]
    assert len(set(every)) == 9


@pytest.fixture
def lopsided(root: Path) -> Store:
    """COUNT images with their index in the left column and 200 more in the right, gray."""
    source = Array(COUNT, (1, 2, 3))
    source.images[:] = np.arange(COUNT, dtype=np.uint8)[:, None, None, None]
    source.images[..., -1] += 200
    return pack(source, (1, 2, 3), "crop", root / "array-3x2x1-0", "array")


def mirrored(batch: Batch) -> list[tuple[int, bool]]:
    """Which images a batch of `lopsided` holds, and whether each is the wrong way round."""
    columns = ((batch.image + 1) * 127.5).round().int()
    ends = columns[:, 0, :, [0, -1]]
    assert torch.equal(columns[:, 0, 0], columns[:, 0, 1])
    return [(min(a, b), a > b) for a, b in ends[:, 0].tolist()]


@pytest.mark.parametrize("kind", KINDS)
def test_flip_mirrors_half_of_the_images_and_keeps_the_order(kind: str, lopsided: Store) -> None:
    plain, stream = (Stream(lopsided, 5, 2, flip=flip, **KINDS[kind]) for flip in (False, True))
    seen = []
    for _ in range(4 * COUNT):
        batch, flat = stream.next(), plain.next()
        assert [index for index, _ in mirrored(batch)] == [index for index, _ in mirrored(flat)]
        assert not any(turned for _, turned in mirrored(flat))
        assert torch.equal(batch.label, flat.label)  # type: ignore[arg-type]
        seen += mirrored(batch)
    turned = sum(flag for _, flag in seen) / len(seen)
    assert turned == pytest.approx(0.5, abs=0.1)  # 460 draws: 4 standard deviations
    epochs = [seen[start : start + COUNT] for start in range(0, len(seen), COUNT)]
    assert len({tuple(sorted(epoch)) for epoch in epochs}) == len(epochs)


@pytest.mark.parametrize("channels_last", [True, False])
def test_flips_are_the_same_resident_and_mapped(channels_last: bool, root: Path) -> None:
    store = pack(Array(COUNT, (3, 4, 5)), (3, 4, 5), "crop", root / "array-5x4x3-0", "array")
    given = {"flip": True, "channels_last": channels_last}
    resident, mapped = (Stream(store, 7, 3, **given, **kind) for kind in KINDS.values())
    plain = Stream(store, 7, 3)
    for _ in range(12):
        a, b, c = resident.next(), mapped.next(), plain.next()
        assert same(a, b)
        turned = torch.tensor([torch.equal(x, y.flip(-1)) for x, y in zip(a.image, c.image, strict=True)])
        assert torch.equal(a.image, torch.where(turned[:, None, None, None], c.image.flip(-1), c.image))
    mapped.close()


@pytest.mark.parametrize("kind", KINDS)
def test_flips_go_on_exactly_with_another_batch_size_and_other_ranks(kind: str, lopsided: Store) -> None:
    stream = Stream(lopsided, 6, 5, flip=True, **KINDS[kind])
    for _ in range(9):
        stream.next()
    state = stream.state_dict()
    rest = [image for _ in range(10) for image in mirrored(stream.next())]
    ranks = [Stream(lopsided, 10, 5, rank=rank, world=2, flip=True, **KINDS[kind]) for rank in range(2)]
    for rank in ranks:
        rank.load_state_dict(state)
    assert [image for _ in range(6) for rank in ranks for image in mirrored(rank.next())] == rest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flip", [False, True])
def test_floats_are_drawn_as_they_are_stored(kind: str, flip: bool, root: Path) -> None:
    store = pack(Ring(count=COUNT), (2, 1, 1), "crop", root / "ring-1x1x2-0", "ring")
    stream = Stream(store, COUNT, 0, flip=flip, **KINDS[kind])
    batch = stream.next()
    assert batch.image.dtype == torch.float32
    order = torch.argsort(batch.image[:, 0, 0, 0])
    stored = store.read(np.arange(COUNT))
    assert torch.equal(batch.image[order], stored[torch.argsort(stored[:, 0, 0, 0])])
    batch.image.zero_()
    assert stream.next().image.abs().min() > 0
    stream.close()


def test_global_randomness_is_neither_used_nor_disturbed(store: Store) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = drawn(Stream(store, COUNT, 0).next())
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert drawn(Stream(store, COUNT, 0).next()) == first


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_goes_on_exactly(kind: str, store: Store) -> None:
    stream = Stream(store, 7, 5, **KINDS[kind])
    states, batches = [], []
    for _ in range(15):
        states.append(stream.state_dict())
        batches.append(stream.next())
    for k, state in enumerate(states):
        assert state == {"epoch": 7 * k // COUNT, "position": 7 * k % COUNT, "seed": 5, "sha256": store.sha256}
        fresh = Stream(store, 7, 5, **KINDS[kind])
        fresh.next()  # what it had read ahead must be forgotten
        fresh.load_state_dict(state)
        assert fresh.state_dict() == state
        for batch in batches[k:]:
            assert same(fresh.next(), batch)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_on_in_the_order_of_another_seed(kind: str, store: Store) -> None:
    """From the same place of the same epoch: whoever asks for another seed gets it."""
    streams = [Stream(store, 5, seed, **KINDS[kind]) for seed in (5, 6)]
    for stream in streams:
        stream.next()
    fresh = Stream(store, 5, 6, **KINDS[kind])
    fresh.load_state_dict(streams[0].state_dict())
    assert drawn(fresh.next()) == drawn(streams[1].next())
    assert fresh.state_dict()["seed"] == 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_on_with_another_batch_size_and_other_ranks(kind: str, store: Store) -> None:
    stream = Stream(store, 6, 5, **KINDS[kind])
    for _ in range(9):
        stream.next()
    state = stream.state_dict()
    rest = [index for _ in range(10) for index in drawn(stream.next())]
    ranks = [Stream(store, 10, 5, rank=rank, world=2, **KINDS[kind]) for rank in range(2)]
    for rank in ranks:
        rank.load_state_dict(state)
    assert [index for _ in range(6) for rank in ranks for index in drawn(rank.next())] == rest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "world"), [(6, 2), (6, 3), (60, 4), (3, 3)])
def test_the_ranks_together_draw_what_one_process_would(kind: str, size: int, world: int, store: Store) -> None:
    alone = Stream(store, size, 0, **KINDS[kind])
    ranks = [Stream(store, size, 0, rank=rank, world=world, **KINDS[kind]) for rank in range(world)]
    for _ in range(12):
        whole, parts = alone.next(), [rank.next() for rank in ranks]
        assert torch.equal(torch.cat([part.image for part in parts]), whole.image)
        assert all(len(part.image) == size // world for part in parts)
        assert all(rank.state_dict() == alone.state_dict() for rank in ranks)


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_piece_a_rank_has_its_part(kind: str, lopsided: Store) -> None:
    alone = Stream(lopsided, 12, 0, flip=True, **KINDS[kind])
    ranks = [Stream(lopsided, 12, 0, rank=rank, world=2, pieces=3, flip=True, **KINDS[kind]) for rank in range(2)]
    for _ in range(5):
        whole, parts = alone.next().split(3), [rank.next().split(3) for rank in ranks]
        for piece, shares in zip(whole, zip(*parts, strict=True), strict=True):
            assert torch.equal(torch.cat([share.image for share in shares]), piece.image)


def test_batch_sizes_that_cannot_be_are_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"^trainer\.batch_size=0: must be at least 1$"):
        Stream(store, 0, 0)
    with pytest.raises(ConfigError, match=r"^trainer\.batch_size=7: 2 processes cannot share it equally$"):
        Stream(store, 7, 0, world=2)


def test_a_state_of_other_data_is_refused(store: Store, root: Path) -> None:
    other = pack(Array(COUNT, seed=1), (3, 4, 5), "crop", root / "array-5x4x3-1", "array")
    state = Stream(store, 4, 0).state_dict()
    with pytest.raises(GanLabError, match=r"^the dataset changed: "):
        Stream(other, 4, 0).load_state_dict(state)


@pytest.mark.parametrize("change", [{"position": COUNT}, {"position": -1}, {"epoch": -1}])
def test_a_state_out_of_range_is_refused(change: dict[str, int], store: Store) -> None:
    stream = Stream(store, 4, 0)
    with pytest.raises(GanLabError, match="position is damaged"):
        stream.load_state_dict(stream.state_dict() | change)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_belong_to_the_caller(kind: str, store: Store) -> None:
    stream, again = (Stream(store, 7, 0, **KINDS[kind]) for _ in range(2))
    for _ in range(8):
        batch = stream.next()
        assert same(batch, again.next())
        batch.image.zero_()
        assert batch.label is not None
        batch.label.zero_()


def test_no_labels(root: Path) -> None:
    class Unlabelled(Array):
        def __iter__(self):  # type: ignore[no-untyped-def]
            return ((name, image, None) for name, image, _ in super().__iter__())

    store = pack(Unlabelled(5), (3, 4, 4), "crop", root / "array-4x4x3-0", "array")
    for kind in KINDS.values():
        assert Stream(store, 2, 0, **kind).next().label is None


def test_a_failure_of_the_reading_thread_reaches_the_caller(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(store, 4, 0, resident_limit=0)

    def fail(*args: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(stream, "_gather", fail)
    with pytest.raises(OSError, match="gone"):
        stream.next()


@pytest.mark.parametrize("kind", KINDS)
def test_reading_raises_no_warning(kind: str, store: Store) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Stream(store, 4, 0, **KINDS[kind]).next()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_cuda_draws_the_same(kind: str, store: Store) -> None:
    here, there = Stream(store, 7, 0, flip=True), Stream(store, 7, 0, device="cuda", flip=True, **KINDS[kind])
    for _ in range(10):
        a, b = here.next(), there.next()
        assert b.image.is_cuda
        assert b.image.is_contiguous(memory_format=torch.channels_last)
        assert same(a, Batch(b.image.cpu(), b.label.cpu() if b.label is not None else None))


def test_waiting_is_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds in which the caller had nothing to do: none where images are at hand, or were read while it worked."""
    resident, streamed = Stream(store, 4, 0), Stream(store, 4, 0, resident_limit=0)
    resident.next()
    assert resident.waited == 0.0
    gather = streamed._gather

    def slow(*args: object) -> object:
        if not released.wait(60):
            raise TimeoutError
        clock[0] += 1.0
        return gather(*args)  # type: ignore[arg-type]

    def passed() -> float:
        released.set()  # whoever looks at the clock has begun to wait
        return clock[0]

    clock, released = [0.0], threading.Event()
    monkeypatch.setattr("gan_lab.data.stream.time", SimpleNamespace(perf_counter=passed))
    monkeypatch.setattr(streamed, "_gather", slow)
    streamed.next()
    assert streamed.waited >= 1.0
    for ahead in streamed._ahead:  # a long round: what is ahead is ready
        ahead.result()
    before = streamed.waited
    streamed.next()
    assert streamed.waited == before
    streamed.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_drawn_may_be_kept_elsewhere(kind: str, store: Store) -> None:
    """A recorded round reads its batch from one place: what is drawn is copied there, and makes the same batch."""
    ours, theirs = (Stream(store, 4, 0, flip=True, **KINDS[kind]) for _ in range(2))
    place = ours.draw().clone()
    theirs.next()
    for _ in range(3):
        place.copy_(ours.draw())
        assert same(ours.batch(place), theirs.next())
