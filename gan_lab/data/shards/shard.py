"""What is known of a shard without decoding it: where each sample lies, its label, and what is read at once."""

from __future__ import annotations

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.printable import printable
from gan_lab.data.shards.places import Place
from gan_lab.errors import GanLabError
from gan_lab.storage.files import write_json, write_whole
from gan_lab.storage.root import data_root
from gan_lab.storage.shared import made_once

VERSION = 1
ROWS, BYTES = 64, 8 * 1024**2  # of a chunk, where a format has none of its own
COLUMNS = 6  # of a table: two numbers that find the image, three that find what is said of it, the number of its label
TRIES, PAUSE = 3, 1.0  # of a read; seconds before the second


class Encoded(NamedTuple):
    """A sample as it lies in its shard: the bytes of its image file, the text of its label, what is said of it."""

    name: str
    data: Any
    captions: Sequence[str] = ()


class Options(NamedTuple):
    """What samples are made of: the extension or column of images, labels and captions. None: what is usual, `none`:
    leave them out."""

    image: str | None = None
    labels: str | None = None
    captions: str | None = None


class Scanned(NamedTuple):
    """What a scan of a shard finds: its table, int64 `(n, COLUMNS)`; chunks `(k, 3)` of first row, rows and bytes;
    the distinct labels, which the last column of the table counts (-1: none); names of classes that the file notes; how
    many samples have captions; the samples' names where the format has any."""

    table: NDArray[np.int64]
    chunks: NDArray[np.int64]
    labels: list[str]
    noted: list[str] | None = None
    captioned: int = 0
    digest: str = ""


class Format(ABC):
    """A kind of shard."""

    @abstractmethod
    def scan(self, place: Place, options: Options) -> Scanned:
        """Look through a shard. Raises GanLabError, naming it, the sample and the byte, where it is damaged."""

    @abstractmethod
    def read(self, place: Place, rows: NDArray[np.int64], options: Options) -> list[Encoded]:
        """The samples of these rows of its table, which lie side by side, by one read."""


class Shard(NamedTuple):
    """A shard that was scanned, now or once before: `card` is what its scan told beside table and chunks."""

    place: Place
    format: Format
    options: Options
    table: NDArray[np.int64]
    chunks: NDArray[np.int64]
    card: dict[str, Any]

    def __len__(self) -> int:
        return len(self.table)

    def read(self, first: int, count: int) -> list[Encoded]:
        """So many samples from row `first` on. What a network refuses is asked for again. Raises GanLabError, naming
        the shard and the samples, where they cannot be read, or are no longer what they were."""
        rows = np.array(self.table[first : first + count])
        for attempt in range(TRIES):
            try:
                return self.format.read(self.place, rows, self.options)
            except (FileNotFoundError, GanLabError) as error:
                failure: Exception = error
                break
            except Exception as error:  # every file system has its own
                failure = error
                if attempt + 1 < TRIES:
                    time.sleep(PAUSE * 4**attempt)
        told = printable(str(failure).splitlines()[0] if str(failure) else type(failure).__name__)
        raise GanLabError(
            f"{printable(self.place.url)}: samples {first} to {first + count - 1} cannot be read ({told}); "
            "put the shard back as it was, and go on with resume=RUN"
        ) from failure


def open_shard(place: Place, format: Format, options: Options) -> Shard:
    """A shard with its index, which is made once and kept under the data root for as long as address, size and stamp of
    the shard stay. Raises as a scan does."""
    decides = json.dumps([VERSION, type(format).__name__, place.url, place.size, place.stamp, *options])
    name = hashlib.sha256(decides.encode(errors="surrogateescape")).hexdigest()[:24]
    path = data_root() / "shards" / f"{name}.json"

    def load(path: Path) -> Shard:
        card = json.loads(path.read_text(encoding="utf-8"))
        table = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
        chunks = np.array(card.pop("chunks"), np.int64).reshape(-1, 3)
        if card["version"] != VERSION or table.shape != (card["count"], COLUMNS) or chunks[:, 1].sum() != len(table):
            raise ValueError("another version")
        return Shard(place, format, options, table, chunks, card)

    def make() -> Shard:
        found = format.scan(place, options)
        digest = hashlib.sha256(np.ascontiguousarray(found.table, "<i8").data)
        digest.update(json.dumps([found.labels, found.noted, found.digest]).encode())
        card = {"version": VERSION, "url": place.url, "count": len(found.table), "labels": found.labels}
        card |= {"noted": found.noted, "captioned": found.captioned, "sha256": digest.hexdigest()}
        return Shard(place, format, options, found.table, found.chunks, card)

    def save(path: Path, shard: Shard) -> None:
        write_whole(path.with_suffix(".npy"), lambda file: np.save(file, shard.table, allow_pickle=False))
        write_json(path, {**shard.card, "chunks": shard.chunks.tolist()})

    return made_once(path, load, make, save)


def cut_into_chunks(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Neighbours that are read at once: up to ROWS samples or BYTES. `(k, 3)`: first, how many, bytes."""
    chunks: list[tuple[int, int, int]] = []
    first = held = 0
    for place, size in enumerate(sizes.tolist()):
        if place > first and (place - first == ROWS or held + size > BYTES):
            chunks.append((first, place - first, held))
            first, held = place, 0
        held += size
    if len(sizes):
        chunks.append((first, len(sizes) - first, held))
    return np.array(chunks, np.int64).reshape(-1, 3)
