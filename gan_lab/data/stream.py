"""The endless stream of batches: seeded, reshuffled every epoch, sharded by rank, and exact to resume."""

from __future__ import annotations

import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.data.store import Store, normalised
from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError, GanLabError

RESIDENT_LIMIT = 4 * 1024**3
PREFETCH = 2  # batches ahead, for each reading thread
READERS = 4  # threads beside a CUDA device; beside a CPU that computes, one


class Drawn(NamedTuple):
    """What a batch is made of, on the device: `source` are indices (n,) into the images that lie there, or the pixels
    as stored; `labels` and `flips` (bool: mirrored) go with pixels alone, and may be None."""

    source: Tensor
    labels: Tensor | None
    flips: Tensor | None

    def clone(self) -> Drawn:
        labels, flips = (None if part is None else part.clone() for part in self[1:])
        return Drawn(self.source.clone(), labels, flips)

    def copy_(self, other: Drawn) -> None:
        """Take over what `other`, of the same shapes, holds."""
        for mine, its in zip(self, other, strict=True):
            if mine is not None and its is not None:
                mine.copy_(its, non_blocking=True)


class Cursor(NamedTuple):
    """How much has been drawn: `position` images of epoch `epoch`, over all ranks together."""

    epoch: int
    position: int


class Ahead(NamedTuple):
    """A batch that was read but not handed out: the cursor behind it, the pixels as stored, labels, flips."""

    cursor: Cursor
    pixels: Tensor
    labels: Tensor | None
    flips: Tensor | None


class Stream:
    """Batches of a store, for ever. Every epoch is a new permutation given by `(seed, epoch)`; batches run on across
    its end, so every image is drawn once per epoch whatever the batch size. With `flip` each image is mirrored left to
    right with probability 1/2; which ones is given by `(seed, epoch)` and the place in the epoch, as the order is.

    `batch_size` counts all `world` processes: `rank` draws its equal share, and the shares of all ranks are, in order,
    what one process would draw. A store of up to `resident_limit` bytes is copied to the device and a batch is a gather
    there; a larger one is read through the map by threads, some batches ahead, into pinned memory where the device is
    CUDA. Both give equal batches. `waited` counts the seconds for which the caller had to wait for a thread. Colour
    images are in channels_last memory format unless told otherwise. Raises ConfigError for a batch size below 1 or one
    that the ranks cannot share.
    """

    def __init__(
        self,
        store: Store,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        resident_limit: int = RESIDENT_LIMIT,
        channels_last: bool = True,
        flip: bool = False,
    ) -> None:
        self.store = store
        self.batch_size = batch_size
        self.seed = seed
        self.device = torch.device(device)
        self.share = share_of(batch_size, rank, world)
        self.channels_last = channels_last and store.shape[0] > 1
        self.flip = flip
        self.cursor = Cursor(0, 0)  # behind what was handed out
        self._reading = self.cursor  # behind what the thread was asked for
        self._orders: dict[int, tuple[Tensor, Tensor | None]] = {}
        self._ahead: deque[Future[Ahead]] = deque()
        self._threads: ThreadPoolExecutor | None = None
        self._readers = min(READERS, os.cpu_count() or 1) if self.device.type == "cuda" else 1
        self.waited = 0.0
        self._labels = None if store.labels is None else torch.from_numpy(store.labels)
        self._images: Tensor | None = None
        if store.nbytes <= _budget(self.device, resident_limit):
            self._images = self._layout(torch.from_numpy(np.array(store.images))).to(self.device)
            self._labels = None if self._labels is None else self._labels.to(self.device)

    @property
    def resident(self) -> bool:
        """Whether the images live on the device."""
        return self._images is not None

    def next(self) -> Batch:
        """The next batch, on the device. It is the caller's: nothing overwrites it later."""
        return self.batch(self.draw())

    def draw(self) -> Drawn:
        """What the next batch is made of; the stream stands behind it from now on."""
        if self._images is not None:
            indices, flips, self.cursor = self._draw(self.cursor)
            return Drawn(indices, None, flips)
        self._read_ahead()
        began = time.perf_counter()
        self.cursor, pixels, *rest = self._ahead.popleft().result()
        self.waited += time.perf_counter() - began
        self._read_ahead()
        labels, flips = (None if part is None else part.to(self.device, non_blocking=True) for part in rest)
        return Drawn(pixels.to(self.device, non_blocking=True), labels, flips)

    def batch(self, drawn: Drawn) -> Batch:
        """The batch made of that: work of the device alone, the same for whatever was drawn."""
        pixels, labels, flips = drawn
        if self._images is not None:
            labels = None if self._labels is None else self._labels.index_select(0, drawn.source)
            # as a matrix: in four dimensions index_select wakes all threads, dearer than the copy on a busy CPU
            pixels = self._images.view(len(self.store), -1).index_select(0, drawn.source)
            pixels = pixels.view(-1, *self._images.shape[1:])
            pixels = pixels.permute(0, 3, 1, 2) if self.channels_last else pixels
        return Batch(self._finish(pixels, flips), labels)

    def state_dict(self) -> dict[str, int | str]:
        """Where the stream stands, after the batches handed out; the same on every rank."""
        epoch, position = self.cursor
        return {"epoch": epoch, "position": position, "seed": self.seed, "sha256": self.store.sha256}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`, also with another batch size or number of ranks. Raises GanLabError for other data."""
        if state["sha256"] != self.store.sha256:
            raise GanLabError(
                f"the dataset changed: the checkpoint's has sha256 {state['sha256'][:12]}, "
                f"{self.store.folder} has {self.store.sha256[:12]}; point dataset at the same images"
            )
        epoch, position = int(state["epoch"]), int(state["position"])
        if epoch < 0 or not 0 <= position < len(self.store):
            raise GanLabError(f"the checkpoint's stream position is damaged (epoch {epoch}, image {position})")
        self.seed = int(state["seed"])
        self.cursor = Cursor(epoch, position)
        self._orders.clear()
        self._drop_ahead()

    def resize(self, batch_size: int) -> None:
        """Go on with batches of another size. Raises ConfigError for one that the ranks cannot share."""
        if batch_size == self.batch_size:
            return
        ranks = self.batch_size // (self.share.stop - self.share.start)
        rank = self.share.start // (self.share.stop - self.share.start)
        self.batch_size, self.share = batch_size, share_of(batch_size, rank, ranks)
        self._drop_ahead()

    def close(self) -> None:
        """Stop the reading threads, if there are any."""
        self._drop_ahead()
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _draw(self, cursor: Cursor) -> tuple[Tensor, Tensor | None, Cursor]:
        """This rank's indices of the batch at `cursor`, int64 `(batch_size / world,)`, which of these images are
        mirrored (bool; None: none is), and the cursor behind it."""
        epoch, position = cursor
        pieces, mirrored = [], []
        wanted = self.batch_size
        while wanted:
            order, flips = self._order(epoch)
            piece = order[position : position + wanted]
            pieces.append(piece)
            if flips is not None:
                mirrored.append(flips[position : position + wanted])
            wanted -= len(piece)
            position += len(piece)
            if position == len(self.store):
                epoch, position = epoch + 1, 0
        indices = _joined(pieces)[self.share]
        return indices, _joined(mirrored)[self.share] if mirrored else None, Cursor(epoch, position)

    def _order(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """The permutation of `epoch` and the flips along it, where the gather happens; the latest two are kept."""
        if epoch not in self._orders:
            where = self.device if self.resident else torch.device("cpu")
            order = torch.randperm(len(self.store), generator=generator_of(f"{self.seed} {epoch}")).to(where)
            flips = None
            if self.flip:
                generator = generator_of(f"{self.seed} {epoch} flip")
                flips = torch.randint(2, (len(self.store),), generator=generator).bool().to(where)
            self._orders = {old: kept for old, kept in self._orders.items() if old == epoch - 1}
            self._orders[epoch] = order, flips
        return self._orders[epoch]

    def _read_ahead(self) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._readers, thread_name_prefix="gan-lab-stream")
        while len(self._ahead) < PREFETCH * self._readers:
            indices, flips, self._reading = self._draw(self._reading)
            labels = None if self._labels is None else self._labels[indices]
            self._ahead.append(self._threads.submit(self._gather, indices, labels, flips, self._reading))

    def _drop_ahead(self) -> None:
        """Forget what was read but not handed out."""
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()
        self._reading = self.cursor

    def _gather(self, indices: Tensor, labels: Tensor | None, flips: Tensor | None, behind: Cursor) -> Ahead:
        """Read a batch through the map. Runs on a thread: NumPy's copying leaves Python to the others, and wakes no
        second team of torch's threads."""
        pinned = self.device.type == "cuda"
        shape = (len(indices), *self.store.shape)
        dtype = torch.uint8 if self.store.dtype == "uint8" else torch.float32
        pixels = torch.empty(shape, dtype=dtype, pin_memory=pinned)
        self.store.expect(indices.numpy())
        np.take(self.store.images, indices.numpy(), axis=0, out=pixels.numpy(), mode="clip")
        if pinned:
            labels, flips = (None if part is None else part.pin_memory() for part in (labels, flips))
        return Ahead(behind, pixels, labels, flips)

    def _layout(self, pixels: Tensor) -> Tensor:
        """`(n, C, H, W)` in the order in which a batch needs it: `(n, H, W, C)` for channels_last."""
        return pixels.permute(0, 2, 3, 1).contiguous() if self.channels_last else pixels

    def _finish(self, pixels: Tensor, flips: Tensor | None) -> Tensor:
        """Pixels as stored, as float32 `(n, C, H, W)` in [-1, 1], mirrored where `flips` says so."""
        if flips is not None:
            pixels = torch.where(flips.view(-1, 1, 1, 1), pixels.flip(3), pixels)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return normalised(pixels.contiguous(memory_format=layout))


def share_of(batch_size: int, rank: int, world: int) -> slice:
    """The part of a batch that is a rank's. Raises ConfigError where there is no such part."""
    if batch_size < 1:
        raise ConfigError(f"trainer.batch_size={batch_size}: must be at least 1")
    if batch_size % world:
        raise ConfigError(f"trainer.batch_size={batch_size}: {world} processes cannot share it equally")
    return slice(rank * (batch_size // world), (rank + 1) * (batch_size // world))


def _joined(pieces: list[Tensor]) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _budget(device: torch.device, limit: int) -> int:
    """How many bytes of images may live on `device`: `limit`, and on CUDA at most half of what is free."""
    if device.type == "cuda":
        return min(limit, torch.cuda.mem_get_info(device)[0] // 2)
    return limit
