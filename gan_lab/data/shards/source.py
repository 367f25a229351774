"""Some samples of shards, spread evenly over them: what is packed of data that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.shards.index import Index, Sample
from gan_lab.data.shards.parquet import Parquet
from gan_lab.data.shards.stream import as_bytes
from gan_lab.data.sources.images import ImageError, decode
from gan_lab.data.sources.source import Example, Joined, has_one_channel
from gan_lab.data.sources.unreadable import Unreadable

GROUPS = 128  # of Parquet, which are read whole
LOOKED_AT = 64  # images, for their channels


class ShardSample(Joined):
    """Up to `most` samples of an index. `sample_of` is how many there are. Up to `max_corrupt` that cannot be read are
    left out with a warning."""

    def __init__(self, index: Index, most: int, max_corrupt: int = 0) -> None:
        self.index, self.most, self.max_corrupt = index, min(most, index.count), max_corrupt
        self.classes = index.classes
        self.sample_of = index.count

    @property
    def identity(self) -> str:
        options = json.dumps(self.index.shards[0].options)
        return f"{self.index.shards[0].place.url}:shards:{self.index.digest}:{self.most}:{options}"

    def describe(self) -> str:
        return f"{self.most} of the images of {self.index.describe()}"

    def __len__(self) -> int:
        return len(self.chosen())

    @property
    def channels(self) -> int:
        """1 if the first few of the sample are all gray, else 3."""
        few = ShardSample(self.index, min(self.most, LOOKED_AT), self.most)
        return 1 if all(has_one_channel(example.image) for example in few.examples()) else 3

    def examples(self) -> Iterator[Example]:
        unreadable = Unreadable(self.index.describe(), self.most, self.max_corrupt, "samples")
        for sample in self._samples():
            try:
                image = decode(as_bytes(sample.data))
            except ImageError as error:
                unreadable.add(sample.name, error)
                continue
            yield Example(sample.name, image, sample.label, captions=sample.captions)
        unreadable.conclude()

    def _samples(self) -> Iterator[Sample]:
        chosen = self.chosen()
        for chunk, samples in zip(*_grouped(self.index.chunk_of(chosen), chosen), strict=True):
            rows = samples - int(self.index.chunks[chunk, 4])
            if len(rows) == 1 and not self._in_groups(chunk):
                yield from self.index.take(chunk, int(rows[0]), 1)
            else:
                read = self.index.read(chunk)
                yield from (read[row] for row in rows.tolist())

    def chosen(self) -> NDArray[np.int64]:
        """Their numbers, in order."""
        chunks = self.index.chunks
        if not self._in_groups(0) or len(chunks) <= GROUPS:
            every: NDArray[np.int64] = np.linspace(0, self.index.count - 1, self.most).round().astype(np.int64)
            return every
        some = chunks[np.linspace(0, len(chunks) - 1, GROUPS).round().astype(np.int64)]
        there = np.concatenate([np.arange(first, first + count) for count, first in some[:, [2, 4]].tolist()])
        most = min(self.most, len(there))
        places = np.linspace(0, len(there) - 1, most).round().astype(np.int64)
        found: NDArray[np.int64] = there[places]
        return found

    def _in_groups(self, chunk: int) -> bool:
        return isinstance(self.index.shards[int(self.index.chunks[chunk, 0])].format, Parquet)


def _grouped(keys: NDArray[np.int64], values: NDArray[np.int64]) -> tuple[list[int], list[NDArray[np.int64]]]:
    """Ascending values by their keys."""
    found, firsts = np.unique(keys, return_index=True)
    return found.tolist(), np.split(values, firsts[1:])
