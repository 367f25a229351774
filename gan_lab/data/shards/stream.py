"""The stream of batches of shards: read and decoded ahead by threads, as much as two blocks in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.data.columns import Pictures
from gan_lab.data.drawn import Drawn, pin
from gan_lab.data.order import Cursor, Places
from gan_lab.data.shards.index import Index, Sample
from gan_lab.data.shards.order import ShardOrder
from gan_lab.data.sources.images import ImageError, decode, fit
from gan_lab.data.store import Store
from gan_lab.data.stream import Ahead, Stream
from gan_lab.data.tokens import Words
from gan_lab.errors import GanLabError

LOADERS = 8  # chunks that are read at once

log = logging.getLogger(__name__)

Chunks = Mapping[int, "Future[list[Sample]]"]


class ShardStream(Stream):
    """A `Stream` whose samples are those of `index`. `store` is a sample of them, packed: what `at` and `peek` show,
    and what decides shape, classes and words. Every rank draws for the whole batch, reads what that lies in, and
    decodes its share; so one process and several play the same game. Of the images that this process meets up to
    `max_corrupt` that cannot be decoded are replaced by images of the sample, with a warning. Raises GanLabError in one
    line, out of `draw`, for more of them and for a shard that cannot be read."""

    def __init__(
        self,
        index: Index,
        store: Store,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        buffer: int = 8192,
        words: Words | None = None,
        max_corrupt: int = 0,
        **shown: Any,
    ) -> None:
        super().__init__(store, batch_size, seed, device, resident_limit=0, **shown)
        alike = {key: value for key, value in shown.items() if key in ("channels_last", "crop", "degradation")}
        self._examples = Stream(store, 1, seed, device, resident_limit=0, **alike)
        self.index, self.words, self.max_corrupt = index, words, max_corrupt
        order = self._order
        drawn = {"flip": order.flip, "turn": order.turn, "corners": order.corners, "captions": order.captions}
        self._order: ShardOrder = ShardOrder(index, buffer, name=shown.get("name", ""), **drawn)
        self._chunks = Held(index)
        self._corrupt: set[int] = set()
        self._counting = Lock()

    @property
    def count(self) -> int:
        return self.index.count

    def at(self, indices: Tensor) -> Batch:
        return self._examples.at(indices)

    def state_dict(self) -> dict[str, int | str]:
        return {**super().state_dict(), "shards": self.index.digest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state.get("shards") != self.index.digest:
            raise GanLabError(
                f"the shards changed: the checkpoint's have {str(state.get('shards'))[:12]}, "
                f"{self.index.describe()} have {self.index.digest[:12]}; point dataset.path at the same ones, in the "
                "same order, with the same dataset.labels, captions and image"
            )
        super().load_state_dict(state)

    def close(self) -> None:
        super().close()
        self._examples.close()
        self._chunks.close()

    def _submit(self, places: Places, behind: Cursor) -> Future[Ahead]:
        assert self._threads is not None
        needed = np.unique(self.index.chunk_of(places.indices.numpy())).tolist()
        self._chunks.hold([*needed, *self._order.near(self.seed, behind)])
        return self._threads.submit(self._decoded, places, behind, self._chunks.of(needed))

    def _decoded(self, places: Places, behind: Cursor, chunks: Chunks) -> Ahead:
        """A batch of samples, decoded. Runs on a thread."""
        images = np.empty((len(places.indices), *self.store.shape), np.uint8)
        labels = None if self.store.labels is None else np.empty(len(images), np.int64)
        said: list[NDArray[np.int64]] = []
        indices: NDArray[np.int64] = places.indices.numpy()
        for row, (number, chunk) in enumerate(
            zip(indices.tolist(), self.index.chunk_of(indices).tolist(), strict=True)
        ):
            sample = chunks[chunk].result()[number - int(self.index.chunks[chunk, 4])]
            label, tokens = sample.label, None if self.words is None else self.words.encode(list(sample.captions))
            try:
                images[row] = fit(decode(as_bytes(sample.data)), self.store.shape, self.store.card["fit"])
            except ImageError as error:
                self._replace(number, sample.name, error)
                other = number % len(self.store)
                images[row] = self.store.images[other]
                label = None if self.store.labels is None else int(self.store.labels[other])
                tokens = None if self.store.captions is None else self.store.captions[other]
            if labels is not None:
                assert label is not None
                labels[row] = label
            if tokens is not None:
                said.append(_chosen(tokens, 0 if places.captions is None else int(places.captions[row])))
        return Ahead(behind, self._drawn(images, labels, said, places))

    def _drawn(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None, said: list[NDArray[np.int64]], places: Places
    ) -> Drawn:
        pinned = self.device.type == "cuda"
        pictures = Pictures(images, self.images.window, self.channels_last)
        corners = None if places.corners is None else places.corners.numpy()
        drawn = Drawn(
            images=pictures.read(np.arange(len(images)), corners, pinned),
            labels=None if labels is None else torch.from_numpy(labels),
            captions=torch.from_numpy(np.stack(said)) if said else None,
            flips=places.flips,
            turns=places.turns,
        )
        return drawn.each(pin) if pinned else drawn

    def _replace(self, number: int, name: str, error: ImageError) -> None:
        """Note that a sample is none. Raises GanLabError where there are too many."""
        with self._counting:
            known = number in self._corrupt
            self._corrupt.add(number)
            if len(self._corrupt) > self.max_corrupt:
                raise GanLabError(
                    f"{name}: {error}; mend it, or replace up to so many by others with "
                    f"dataset.max_corrupt={max(2 * self.max_corrupt, 100)}"
                ) from error
        if not known:
            log.warning("dataset: %s: %s; another image stands in its place", name, error)


class Held:
    """Chunks that were read, or are being read; of the others none is kept but by whoever has asked for it."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._futures: dict[int, Future[list[Sample]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    def hold(self, chunks: Iterable[int]) -> None:
        """These and no others; those that are not here are read, in this order."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(LOADERS, thread_name_prefix="gan-lab-shards")
        wanted = dict.fromkeys(chunks)
        self._futures = {chunk: future for chunk, future in self._futures.items() if chunk in wanted}
        for chunk in wanted:
            if chunk not in self._futures:
                self._futures[chunk] = self._threads.submit(self.index.read, chunk)

    def of(self, chunks: Iterable[int]) -> dict[int, Future[list[Sample]]]:
        return {chunk: self._futures[chunk] for chunk in chunks}

    def close(self) -> None:
        for future in self._futures.values():
            future.cancel()
        self._futures = {}
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None


def as_bytes(data: Any) -> bytes:
    """The contents of an image file. Raises ImageError where there are none."""
    if not data:
        raise ImageError("no bytes")
    return bytes(data)


def _chosen(tokens: NDArray[np.int64], which: int) -> NDArray[np.int64]:
    """Of captions `(k, L)` the one of this number, modulo how many there are."""
    there = max(int(tokens.any(1).sum()), 1)
    found: NDArray[np.int64] = tokens[which % there]
    return found
