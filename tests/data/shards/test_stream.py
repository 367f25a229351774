from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import torch

from gan_lab.data.batch import Batch
from gan_lab.data.packing import pack
from gan_lab.data.shards.index import Index, open_index
from gan_lab.data.shards.shard import Options
from gan_lab.data.shards.source import ShardSample
from gan_lab.data.shards.stream import ShardStream
from gan_lab.data.store import Store
from gan_lab.data.tokens import Words
from gan_lab.errors import ConfigError, GanLabError

from .conftest import CLASSES, encoded, picture, sample, write_shards, write_tar

COUNT = 183


@pytest.fixture
def store(index: Index, root: Path) -> Store:
    return pack(ShardSample(index, 20), (3, 4, 4), "crop", root / "shards-4x4x3-0", "shards")


@pytest.fixture(autouse=True)
def closed() -> Any:
    """No thread outlives a test."""
    streams: list[ShardStream] = []
    yield streams
    for stream in streams:
        stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gan-lab-s")]


@pytest.fixture
def make(index: Index, store: Store, closed: list[ShardStream]) -> Any:
    def stream(size: int, seed: int = 0, index: Index = index, buffer: int = 50, **more: Any) -> ShardStream:
        closed.append(ShardStream(index, store, size, seed, buffer=buffer, **more))
        return closed[-1]

    return stream


def numbers(batch: Batch) -> list[int]:
    """Which samples a batch holds; their labels must go with them."""
    pixels = ((batch.image + 1) * 127.5).round().int()
    assert (pixels[:, 2] == 7).all()
    found: list[int] = (pixels[:, 0, 0, 0] + 256 * pixels[:, 1, 0, 0]).tolist()
    assert batch.label is not None
    assert batch.label.tolist() == [number % 3 for number in found]
    return found


def same(a: Batch, b: Batch) -> bool:
    return all(
        (one is None) is (two is None) and (one is None or two is None or torch.equal(one, two))
        for one, two in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("size", [1, 7, 64, 200])
@pytest.mark.parametrize("buffer", [50, 1000])
def test_every_image_is_drawn_once_per_epoch(size: int, buffer: int, make: Any) -> None:
    stream, seen = make(size, buffer=buffer), list[int]()
    while len(seen) < 3 * COUNT:
        seen += numbers(stream.next())
    epochs = [seen[start : start + COUNT] for start in range(0, 3 * COUNT, COUNT)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert all(a != b for a, b in pairwise(epochs))
    assert stream.count == COUNT


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("pieces", [1, 3])
def test_the_shares_of_all_ranks_are_what_one_draws(world: int, pieces: int, make: Any) -> None:
    shown = {"flip": True, "turn": True, "crop": (3, 3), "pieces": pieces}
    one, ranks = make(24, **shown), [make(24, rank=rank, world=world, **shown) for rank in range(world)]
    for _ in range(12):
        whole, shares = one.next(), [rank.next() for rank in ranks]
        parts = [[share.split(pieces)[piece] for share in shares] for piece in range(pieces)]
        joined = Batch(torch.cat([s.image for p in parts for s in p]), torch.cat([s.label for p in parts for s in p]))
        assert same(whole, joined)
        assert all(rank.state_dict() == one.state_dict() for rank in ranks)


@pytest.mark.parametrize("rounds", [1, 3, 10, 26, 27])
def test_a_stream_goes_on_at_the_sample(rounds: int, make: Any) -> None:
    """In the middle of a chunk, of a shard, at and across the end of an epoch."""
    straight = make(7, flip=True)
    for _ in range(rounds):
        straight.next()
    state = straight.state_dict()
    assert (state["epoch"], state["position"]) == divmod(7 * rounds, COUNT)
    other = make(7, flip=True)
    other.load_state_dict(state)
    for _ in range(30):
        assert same(straight.next(), other.next())


def test_another_batch_size_and_other_ranks_go_on_with_it(make: Any) -> None:
    straight = make(6)
    for _ in range(5):
        straight.next()
    rank = make(12, rank=1, world=2)
    rank.load_state_dict(straight.state_dict())
    straight.batch_size = 12
    assert numbers(rank.next()) == numbers(straight.next())[6:]


def test_what_is_read_ahead_is_bounded(make: Any) -> None:
    stream = make(5)
    for _ in range(100):
        stream.next()
        held = sum(int(stream.index.chunks[chunk, 2]) for chunk in stream._chunks._futures)
        assert held <= 2 * (50 + 64) + 64


def test_images_are_decoded_and_fitted_as_packing_does(tmp_path: Path, root: Path, make: Any) -> None:
    """Turned by EXIF, gray, transparent, in 16 bits, of other sizes."""
    from PIL import Image

    random = np.random.default_rng(0).integers(0, 256, (9, 12, 4), np.uint8)
    upright = Image.Exif()
    upright[0x0112] = 6
    files = {
        "a": {"jpg": encoded(Image.fromarray(random[..., :3]), "JPEG", exif=upright)},
        "b": {"png": encoded(Image.fromarray(random[..., 0]))},
        "c": {"png": encoded(Image.fromarray(random))},
        "d": {"png": encoded(Image.fromarray(random[..., 0].astype(np.uint16) * 257))},
        "e": {"webp": encoded(picture(3), "WEBP", lossless=True)},
    }
    write_tar(tmp_path / "odd/a.tar", files)
    index = open_index(str(tmp_path / "odd"), Options())
    packed = pack(ShardSample(index, 9), (3, 4, 4), "pad", root / "odd-4x4x3-0", "odd")
    stream = ShardStream(index, packed, 5, 0)
    order, _ = stream._order.draw(0, stream.cursor, 5)
    batch = stream.next()
    assert torch.equal(batch.image, packed.read(order.indices.numpy()))
    assert batch.label is None
    stream.close()


def test_captions_are_told_in_the_words_of_the_sample(tmp_path: Path, root: Path, closed: list[ShardStream]) -> None:
    samples = {f"{each:02d}": sample(each, json=f'{{"caption": ["x w{each}", "y"]}}') for each in range(6)}
    write_tar(tmp_path / "said/a.tar", samples)
    index = open_index(str(tmp_path / "said"), Options())
    words = Words(length=2)
    packed = pack(ShardSample(index, 6), (3, 4, 4), "crop", root / "said-4x4x3-0", "said", tokenizer=words)
    assert packed.words is not None
    known = words.knowing(packed.words)
    closed.append(ShardStream(index, packed, 6, 0, words=known))
    told = set[str]()
    for _ in range(8):
        batch = closed[-1].next()
        assert batch.caption is not None
        for number, tokens in zip(numbers(batch), batch.caption, strict=True):
            assert known.decode(tokens) in (f"x w{number}", "y")
            told.add(known.decode(tokens)[0])
    assert told == {"x", "y"}


def test_what_is_looked_at_is_the_sample_and_draws_nothing(make: Any, store: Store) -> None:
    stream, other = make(6), make(6)
    stream.next(), other.next()
    shown = stream.peek(20)
    assert torch.equal(shown.image, store.read(np.arange(20)))
    assert numbers(shown) == np.linspace(0, COUNT - 1, 20).round().astype(int).tolist()
    assert same(stream.next(), other.next())


def corrupted(folder: Path, *which: int) -> Index:
    samples = {f"{each:05d}": sample(each) for each in range(40)}
    for each in which:
        samples[f"{each:05d}"]["png"] = b"no image"
    write_tar(folder / "a.tar", samples)
    return open_index(str(folder), Options())


def test_an_image_that_cannot_be_decoded_ends_the_stream_and_is_named(tmp_path: Path, make: Any) -> None:
    stream = make(40, index=corrupted(tmp_path / "bad", 3))
    with pytest.raises(GanLabError, match=r"bad/a\.tar, byte \d+: not an image.*dataset\.max_corrupt=100"):
        stream.next()


def test_others_stand_in_for_a_few(tmp_path: Path, make: Any, caplog: pytest.LogCaptureFixture) -> None:
    stream = make(40, index=corrupted(tmp_path / "bad", 3, 5), max_corrupt=2)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            seen = numbers(stream.next())
            standing_in = [int(np.linspace(0, COUNT - 1, 20).round()[place]) for place in (3, 5)]
            assert sorted(seen) == sorted([*(set(range(40)) - {3, 5}), *standing_in])
    assert caplog.text.count("another image stands in its place") == 2
    with pytest.raises(GanLabError, match="not an image"):
        make(40, index=corrupted(tmp_path / "worse", 3, 5, 6), max_corrupt=2).next()


def test_a_shard_that_goes_missing_is_named(tmp_path: Path, index: Index, make: Any) -> None:
    stream = make(COUNT)
    (tmp_path / "shards/data-02.tar").unlink()
    with pytest.raises(GanLabError, match=r"data-02\.tar: samples \d+ to \d+ cannot be read \(.*No such file"):
        stream.next()


def test_other_shards_are_refused(tmp_path: Path, make: Any) -> None:
    state = make(5).state_dict()
    other = make(5, index=open_index(write_shards(tmp_path / "other", (70, 5, 100, 9)), Options()))
    with pytest.raises(GanLabError, match="the shards changed"):
        other.load_state_dict(state)
    with pytest.raises(GanLabError, match="stream position is damaged"):
        make(5).load_state_dict({**state, "position": COUNT})


def test_a_batch_that_ranks_cannot_share_is_refused(make: Any) -> None:
    with pytest.raises(ConfigError, match="2 processes cannot share"):
        make(7, world=2)


def test_memory_gives_the_same_stream(tmp_path: Path, index: Index, make: Any) -> None:
    for path in (tmp_path / "shards").glob("*.tar"):
        fsspec.filesystem("memory").pipe(f"/stream/{path.name}", path.read_bytes())
    other = open_index("memory://stream/data-{00..03}.tar", Options())
    assert other.digest == index.digest
    streams = make(20), make(20, index=other)
    for _ in range(12):
        assert same(*(stream.next() for stream in streams))


def test_classes_are_named_by_the_store(store: Store) -> None:
    assert store.classes == list(CLASSES)


class Ranges(BaseHTTPRequestHandler):
    """A web server of one folder that knows ranges of bytes."""

    folder: Path

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.folder / self.path.lstrip("/")
        data = path.read_bytes() if path.is_file() else b""
        first, _, last = self.headers.get("Range", "bytes=0-").partition("=")[2].partition("-")
        part = data[int(first) : int(last or len(data)) + 1]
        self.send_response((206 if "Range" in self.headers else 200) if data else 404)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", str(len(data)))
        self.send_header("Content-Length", str(len(part)))
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    def log_message(self, *words: Any) -> None:
        pass


def test_the_web_gives_the_same_stream(tmp_path: Path, index: Index, make: Any) -> None:
    pytest.importorskip("aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Ranges,), {"folder": tmp_path / "shards"}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/data-{{00..%s}}.tar"
    try:
        with pytest.raises(ConfigError, match=r"1 of 5 shards are not there \(http://.*data-04\.tar\)"):
            open_index(address % "04", Options())
        other = open_index(address % "03", Options())
        assert other.digest == index.digest
        streams = make(20), make(20, index=other)
        for _ in range(10):
            assert same(*(stream.next() for stream in streams))
    finally:
        server.shutdown()
        server.server_close()
