from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gan_lab.data.shards import shard
from gan_lab.data.shards.places import Place, find_places
from gan_lab.data.shards.shard import Encoded, Format, Options, Scanned, cut_into_chunks, open_shard
from gan_lab.errors import GanLabError

from .conftest import sample, write_tar


class Recorded(Format):
    """Three samples; what is asked of it is noted, and reads fail as told."""

    def __init__(self, *failures: Exception) -> None:
        self.scans, self.reads, self.failures = 0, 0, list(failures)

    def scan(self, place: Place, options: Options) -> Scanned:
        self.scans += 1
        return Scanned(np.arange(18).reshape(3, 6), np.array([[0, 3, 30]]), ["a"])

    def read(self, place: Place, rows: NDArray[np.int64], options: Options) -> list[Encoded]:
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return [Encoded(str(row[0]), b"") for row in rows]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return find_places(str(write_tar(tmp_path / "a.tar", {"a": sample(1)})))[0]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "PAUSE", 0)


@pytest.mark.parametrize(
    ("sizes", "chunks"),
    [
        ([], []),
        ([5] * 64, [[0, 64, 320]]),
        ([5] * 65, [[0, 64, 320], [64, 1, 5]]),
        ([shard.BYTES, 1, shard.BYTES - 1, 1], [[0, 1, shard.BYTES], [1, 2, shard.BYTES], [3, 1, 1]]),
    ],
)
def test_chunks_are_bound_by_samples_and_bytes(sizes: list[int], chunks: list[list[int]]) -> None:
    assert cut_into_chunks(np.array(sizes, np.int64)).tolist() == chunks


def test_a_shard_is_scanned_once_for_as_long_as_it_stays(place: Place) -> None:
    format = Recorded()
    first, second = (open_shard(place, format, Options()) for _ in range(2))
    assert format.scans == 1
    assert first.card == second.card
    np.testing.assert_array_equal(second.table, np.arange(18).reshape(3, 6))
    assert second.chunks.tolist() == [[0, 3, 30]]
    open_shard(place, format, Options(labels="none"))
    assert format.scans == 2
    os.utime(place.path, (1, 1))
    open_shard(find_places(place.path)[0], format, Options())
    assert format.scans == 3


def test_a_damaged_index_is_made_anew(place: Place, root: Path) -> None:
    format = Recorded()
    open_shard(place, format, Options())
    [path] = (root / "shards").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-3])
    assert len(open_shard(place, format, Options())) == 3
    assert format.scans == 2


def test_a_network_that_fails_is_asked_again(place: Place) -> None:
    format = Recorded(OSError("reset"), TimeoutError("slow"))
    assert [each.name for each in open_shard(place, format, Options()).read(1, 2)] == ["6", "12"]
    assert format.reads == 3


@pytest.mark.parametrize(
    ("failures", "reads"), [([FileNotFoundError("gone")], 1), ([GanLabError("short")], 1), ([OSError("reset")] * 9, 3)]
)
def test_what_stays_unreadable_is_named(failures: list[Exception], reads: int, place: Place) -> None:
    format = Recorded(*failures)
    with pytest.raises(GanLabError, match=rf"a\.tar: samples 1 to 2 cannot be read \({failures[0]}\)"):
        open_shard(place, format, Options()).read(1, 2)
    assert format.reads == reads
