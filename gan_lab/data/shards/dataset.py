"""A dataset of shards: nothing is packed but a sample of them, and a stream reads the shards themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gan_lab.config import require_whole
from gan_lab.data.dataset import Dataset
from gan_lab.data.location import UserImages
from gan_lab.data.shards.index import Index, open_index
from gan_lab.data.shards.places import KEY
from gan_lab.data.shards.shard import Options
from gan_lab.data.shards.source import ShardSample
from gan_lab.data.shards.stream import ShardStream
from gan_lab.degradations.base import Degradation
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError

PACKED_ONLY = ("classes", "held_out", "patch", "balance", "attributes")

log = logging.getLogger(__name__)


class ShardDataset(Dataset):
    """Images in shards, tar as WebDataset writes them or Parquet, at the addresses that `path` names (one, or a list;
    see `gan_lab.data.shards.places`). They are read where they lie, epoch by epoch; a store holds `sample` of them,
    which stand for all where images are looked at outside of training: grids, health, the reference of a metric.

    `image`, `labels` and `captions` name an extension or field (tar) or a column (Parquet); None: what is usual. A
    stream shuffles `buffer` images at a time (see `gan_lab.data.shards.order`). Raises ConfigError for what only packed
    images have.
    """

    def __init__(
        self,
        name: str,
        image_shape: Sequence[int | str],
        path: Any = None,
        image: str | None = None,
        labels: str | None = None,
        captions: str | None = None,
        buffer: int = 8192,
        sample: int = 10_000,
        **given: Any,
    ) -> None:
        for key in PACKED_ONLY:
            if given.get(key):
                raise ConfigError(f"dataset.{key}={given[key]}: shards are not packed; leave it out, or dataset=folder")
        if given.get("aligned") is False:
            raise ConfigError("dataset.aligned=false: shards have no inputs of their own; leave it true")
        super().__init__(name, image_shape, labels=labels, **given)
        self.path = path
        self.buffer = require_whole(buffer, "dataset.buffer")
        self.sample = require_whole(sample, "dataset.sample")
        self.options = Options(image, self.labels, captions)
        self._index: Index | None = None

    @property
    def index(self) -> Index:
        """Where every sample lies; the shards are looked for, and those that are new are scanned, when it is first
        asked for."""
        if self._index is None:
            self._index = open_index(self.path, self.options)
        return self._index

    def located(self, path: str | Path) -> Dataset:
        other = super().located(path)
        assert isinstance(other, ShardDataset)
        other._index = None
        return other

    def stream(
        self,
        engine: Engine,
        batch_size: int,
        seed: int,
        degradation: Degradation | None = None,
        name: str = "",
        pieces: int = 1,
    ) -> ShardStream:
        return ShardStream(
            self.index,
            self.store,
            batch_size,
            seed,
            engine.device,
            self.buffer,
            self.known_words,
            self.max_corrupt,
            **self._shown(engine, degradation, name, pieces),
        )

    def _local(self, from_: str | Path | None) -> UserImages | None:
        if self.source is not None:  # images that stand beside these, to be measured against
            return super()._local(from_)
        assert from_ is None  # which `pack` has made the path of another
        return UserImages(ShardSample(self.index, self.sample, self.max_corrupt), str(self.path), KEY)
