"""All shards of a data set as one list of samples, in chunks that are read at once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.printable import printable
from gan_lab.data.progress import Progress
from gan_lab.data.shards.parquet import Parquet
from gan_lab.data.shards.places import AT_ONCE, Place, find_places
from gan_lab.data.shards.shard import Encoded, Format, Options, Shard, open_shard
from gan_lab.data.shards.tar import Tar
from gan_lab.data.sources import naming
from gan_lab.errors import ConfigError

log = logging.getLogger(__name__)

FORMATS: dict[str, Format] = {".tar": Tar(), ".parquet": Parquet()}


class Sample(NamedTuple):
    """A sample before it is decoded: `data` is an image file, `label` an index into the classes."""

    name: str
    data: Any
    label: int | None
    captions: Sequence[str]


class Index:
    """Samples 0 to N-1, shard by shard. `chunks` int64 `(k, 5)`: shard, first row in it, rows, bytes, and the number of
    its first sample. `classes` as other readers order them; None where not every sample has a label. Raises ConfigError
    for shards without samples, and where labels or captions that were asked for are not there for all."""

    def __init__(self, shards: Sequence[Shard], options: Options) -> None:
        self.shards = list(shards)
        parts = [
            np.column_stack([np.full(len(shard.chunks), number), shard.chunks]) for number, shard in enumerate(shards)
        ]
        chunks = np.concatenate(parts).astype(np.int64)
        ends = chunks[:, 2].cumsum()
        self.chunks: NDArray[np.int64] = np.column_stack([chunks, ends - chunks[:, 2]])
        self.count = int(ends[-1]) if len(ends) else 0
        self.digest = hashlib.sha256("\n".join(shard.card["sha256"] for shard in shards).encode()).hexdigest()
        if not self.count:
            raise ConfigError(f"dataset.path: {self.describe()}: no sample has a picture")
        self.unlabelled = sum(int((np.asarray(shard.table[:, -1]) < 0).sum()) for shard in shards)
        self.captioned = sum(shard.card["captioned"] for shard in shards)
        self._check(options)
        self.classes = None if self.unlabelled else self._classes()
        self._numbers = [self._numbered(shard) for shard in shards]

    def describe(self) -> str:
        first, more = printable(self.shards[0].place.url), len(self.shards) - 1
        return f"shards {first}" + (f" and {more} more" if more else "") + f", {self.count} images"

    def chunk_of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The chunk that each of these samples lies in."""
        found: NDArray[np.int64] = np.searchsorted(self.chunks[:, 4], samples, side="right") - 1
        return found

    def read(self, chunk: int) -> list[Sample]:
        """All samples of a chunk. Raises GanLabError, naming the shard, where they cannot be read."""
        return self.take(chunk, 0, int(self.chunks[chunk, 2]))

    def take(self, chunk: int, start: int, count: int) -> list[Sample]:
        """Some of them, side by side."""
        number, first = (int(each) for each in self.chunks[chunk, :2])
        shard = self.shards[number]
        read = shard.read(first + start, count)
        codes = shard.table[first + start : first + start + count, -1].tolist()
        return [self._sample(shard, number, *each) for each in zip(read, codes, strict=True)]

    def _sample(self, shard: Shard, number: int, read: Encoded, code: int) -> Sample:
        label = None if self.classes is None else self._numbers[number][code]
        return Sample(f"{printable(shard.place.url)}, {read.name}", read.data, label, read.captions)

    def _check(self, options: Options) -> None:
        if self.unlabelled and options.labels not in (None, naming.NO_LABELS):
            raise ConfigError(
                f"dataset.labels={options.labels}: {self.unlabelled} of {self.count} samples have none; fill them in, "
                "or leave all labels out with dataset.labels=none"
            )
        if self.captioned not in (0, self.count) or (options.captions not in (None, "none") and not self.captioned):
            raise ConfigError(
                f"dataset.captions: {self.count - self.captioned} of {self.count} samples have none; fill them in, or "
                "leave all captions out with dataset.captions=none"
            )

    def _noted(self) -> list[str] | None:
        """The names of classes that all files agree on."""
        first: list[str] | None = self.shards[0].card["noted"]
        return first if first and all(shard.card["noted"] == first for shard in self.shards) else None

    def _classes(self) -> list[str]:
        if (noted := self._noted()) is not None:
            return noted
        current = naming.whole({text for shard in self.shards for text in shard.card["labels"]})
        if current is None:
            raise ConfigError(
                "dataset.labels: these are numbers that are not whole, and no classes; name others, or none"
            )
        return naming.in_order(current.values())

    def _numbered(self, shard: Shard) -> list[int]:
        """The class of each of the labels of a shard."""
        if self.classes is None:
            return []
        texts: list[str] = shard.card["labels"]
        if self._noted() is not None:
            outside = [text for text in texts if not text.isdecimal() or int(text) >= len(self.classes)]
            if outside:
                raise ConfigError(
                    f"dataset.labels: {printable(shard.place.url)} notes {len(self.classes)} classes, and has a label "
                    f"{printable(outside[0])}"
                )
            return [int(text) for text in texts]
        current = naming.whole({text for each in self.shards for text in each.card["labels"]}) or {}
        places = {name: place for place, name in enumerate(self.classes)}
        return [places[current[text]] for text in texts]


def open_index(given: Any, options: Options) -> Index:
    """The index of the shards that a path or list of paths names; those that were not yet are scanned, some at a time.
    Raises ConfigError and GanLabError, in one line, for shards that are not there, truncated or of another kind."""
    places = find_places(given)
    progress = Progress("indexing shards", len(places), unit="shards")

    def opened(place: Place) -> Shard:
        return open_shard(place, FORMATS["." + place.path.lower().rpartition(".")[2]], options)

    shards: list[Shard] = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        futures = [threads.submit(opened, place) for place in places]
        try:
            for future in futures:
                shards.append(future.result())
                progress.update(len(shards))
        finally:
            for future in futures:
                future.cancel()
            progress.close()
    index = Index(shards, options)
    if 0 < index.unlabelled < index.count and options.labels is None:
        told = f"{index.unlabelled} of {index.count} samples have no label, so no labels are used"
        log.warning("dataset: %s: label them, or say dataset.labels=none", told)
    return index
