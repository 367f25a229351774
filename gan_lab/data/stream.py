"""The endless stream of batches: seeded, reshuffled every epoch, sharded by rank, and exact to resume."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lab.data.balance import balanced
from gan_lab.data.batch import Batch
from gan_lab.data.columns import Captions, Pictures, laid_out
from gan_lab.data.drawn import Drawn as Drawn
from gan_lab.data.drawn import pin
from gan_lab.data.order import Cursor, Order, Places
from gan_lab.data.shapes import windows
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError

RESIDENT_LIMIT = 4 * 1024**3
PREFETCH = 2  # batches ahead, for each reading thread
READERS = 4  # threads beside a CUDA device; beside a CPU that computes, one


class Ahead(NamedTuple):
    """A batch that was read but not handed out, and the cursor behind it."""

    cursor: Cursor
    drawn: Drawn


class Stream:
    """Batches of a store, for ever. Every epoch is a new permutation given by `(seed, epoch)`; batches run on across
    its end, so every sample is drawn once per epoch whatever the batch size; with `balance` classes are drawn in other
    shares (see `gan_lab.data.balance.balanced`). How a sample is shown is given by `(seed, epoch)` and its place in the
    epoch, as the order is: with `flip` mirrored left to right with probability 1/2, with `crop` = (height, width) a
    window of the image and the matching one of the input, with `turn` turned by quarters, image and input together; and
    one of its captions.

    `degradation` makes the inputs of a batch from its images, where the store has none. `batch_size` counts all `world`
    processes: of each of the `pieces` that a batch is cut into, `rank` draws its equal share, and the shares of all
    ranks are, in order, what one process would draw. A store of up to `resident_limit` bytes is copied to the device
    and a batch is a gather there; a larger one is read through the map by threads, some batches ahead, into pinned
    memory where the device is CUDA. Both give equal batches. `waited` counts the seconds for which the caller had to
    wait for a thread. Colour images are in channels_last memory format unless told otherwise. Streams of another `name`
    shuffle otherwise. Raises ConfigError for a batch size below 1 or one whose pieces the ranks cannot share, for a
    crop that does not fit, for turns of pictures that are not square, and for a degradation of data that has inputs.
    """

    def __init__(
        self,
        store: Store,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        pieces: int = 1,
        resident_limit: int = RESIDENT_LIMIT,
        channels_last: bool = True,
        flip: bool = False,
        crop: Sequence[int] | None = None,
        turn: bool = False,
        degradation: Callable[[Tensor], Tensor] | None = None,
        name: str = "",
        balance: Any = None,
    ) -> None:
        self.rank, self.world, self.pieces = rank, world, pieces
        self.store = store
        self.seed = seed
        self.device = torch.device(device)
        self.channels_last = channels_last
        self.degradation = degradation
        self.cursor = self._reading = Cursor(0, 0)  # behind what was handed out; behind what threads were asked for
        self.waited = 0.0
        self._ahead: deque[Future[Ahead]] = deque()
        self._threads: ThreadPoolExecutor | None = None
        self._readers = min(READERS, os.cpu_count() or 1) if self.device.type == "cuda" else 1
        self.batch_size = batch_size
        if degradation is not None and store.inputs is not None:
            raise ConfigError(f"degradation: {store.name} has inputs of its own; degradation=none")
        window, matching, self._corners = windows(crop, store.shape, store.input_shape)
        self.images = Pictures(store.images, window, channels_last)
        self.inputs = None if store.inputs is None else Pictures(store.inputs, matching, channels_last)
        for pictures in (self.images, self.inputs):
            if turn and pictures is not None and pictures.shape[1] != pictures.shape[2]:
                raise ConfigError(f"dataset.turn: {pictures.shape[2]}x{pictures.shape[1]} is no square; crop to one")
        self._labels = None if store.labels is None else torch.from_numpy(store.labels)
        self._captions = None if store.captions is None else Captions(store.captions)
        self.resident = store.nbytes <= _budget(self.device, resident_limit)
        if self.resident:
            self._move_to_device()
        several = self._captions is not None and self._captions.several
        where = self.device if self.resident else torch.device("cpu")
        self._order = Order(len(store), where, flip, turn, self._corners, several, name, balanced(balance, store))

    @property
    def batch_size(self) -> int:
        """Of all processes together. A stream goes on with another where it stands."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        if size < 1:
            raise ConfigError(f"trainer.batch_size={size}: must be at least 1")
        if self.world > 1 and size % (self.world * self.pieces):
            cut = f" in {self.pieces} pieces" if self.pieces > 1 else ""
            raise ConfigError(f"trainer.batch_size={size}: {self.world} processes cannot share it{cut} equally")
        self._batch_size = size
        self._drop_ahead()

    @property
    def count(self) -> int:
        """How many samples an epoch has."""
        return len(self.store)

    def next(self) -> Batch:
        """The next batch, on the device. It is the caller's: nothing overwrites it later."""
        return self.batch(self.draw())

    def draw(self) -> Drawn:
        """What the next batch is made of; the stream stands behind it from now on."""
        if self.resident:
            places, self.cursor = self._order.draw(self.seed, self.cursor, self.batch_size)
            return Drawn.there(self._share(places))
        self._read_ahead()
        began = time.perf_counter()
        self.cursor, drawn = self._ahead.popleft().result()
        self.waited += time.perf_counter() - began
        self._read_ahead()
        return self._on_device(drawn)

    def batch(self, drawn: Drawn) -> Batch:
        """The batch made of that: work of the device alone, the same for whatever was drawn."""
        image, label, input, caption = drawn.images, drawn.labels, drawn.inputs, drawn.captions
        if drawn.indices is not None:
            image = self.images.take(drawn.indices, drawn.corners)
            label = None if self._labels is None else self._labels.index_select(0, drawn.indices)
            input = None if self.inputs is None else self.inputs.take(drawn.indices, drawn.corners)
            caption = None if self._captions is None else self._captions.take(drawn.indices, drawn.which)
        assert image is not None
        image = self.images.shown(image, drawn.flips, drawn.turns)
        if self.inputs is not None and input is not None:
            input = self.inputs.shown(input, drawn.flips, drawn.turns)
        elif self.degradation is not None:
            input = laid_out(self.degradation(image), self.channels_last)
        return Batch(image, label, input, caption)

    def peek(self, n: int) -> Batch:
        """`n` samples spread evenly over the store, as a batch has them. Nothing is drawn; see `at`."""
        return self.at(torch.linspace(0, len(self.store) - 1, n).long())

    def at(self, indices: Tensor) -> Batch:
        """The samples at these places `(n,)` of the store as a batch has them: not mirrored, not turned, cut from the
        middle, told by their first caption. Nothing is drawn: the stream and every generator stay as they are, and a
        degradation that draws does so alike every time."""
        corners = which = None
        if self._corners is not None:
            corners = torch.tensor([(places - 1) // 2 for places in self._corners]).expand(len(indices), 2)
        if self._order.captions:
            which = torch.zeros_like(indices)
        places = Places(indices, corners=corners, captions=which)
        drawn = Drawn.there(places) if self.resident else self._gather(places, self.cursor).drawn
        with _undisturbed(self.seed, self.device) if self.degradation is not None else nullcontext():
            return self.batch(self._on_device(drawn))

    def state_dict(self) -> dict[str, int | str]:
        """Where the stream stands, after the batches handed out; the same on every rank."""
        epoch, position = self.cursor
        return {"epoch": epoch, "position": position, "seed": self.seed, "sha256": self.store.sha256}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`, also with another batch size, number of ranks, or seed: what is left of the epoch is then
        what another order has there. Raises GanLabError for other data."""
        if state.get("sha256") != self.store.sha256:
            raise GanLabError(
                f"the dataset changed: the checkpoint's has sha256 {str(state.get('sha256'))[:12]}, "
                f"{self.store.folder} has {self.store.sha256[:12]}; point dataset at the same images"
            )
        epoch, position = int(state["epoch"]), int(state["position"])
        if epoch < 0 or not 0 <= position < self.count:
            raise GanLabError(f"the checkpoint's stream position is damaged (epoch {epoch}, image {position})")
        self.cursor = Cursor(epoch, position)
        self._drop_ahead()

    def close(self) -> None:
        """Stop the reading threads, if there are any."""
        self._drop_ahead()
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _move_to_device(self) -> None:
        self.images.move_to(self.device)
        if self.inputs is not None:
            self.inputs.move_to(self.device)
        if self._captions is not None:
            self._captions.move_to(self.device)
        self._labels = None if self._labels is None else self._labels.to(self.device)

    def _share(self, places: Places) -> Places:
        """This rank's part of every piece of a batch."""
        return places if self.world == 1 else places.share(self.rank, self.world, self.pieces)

    def _on_device(self, drawn: Drawn) -> Drawn:
        return drawn.each(lambda part: part.to(self.device, non_blocking=True))

    def _read_ahead(self) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._readers, thread_name_prefix="gan-lab-stream")
        while len(self._ahead) < PREFETCH * self._readers:
            places, self._reading = self._order.draw(self.seed, self._reading, self.batch_size)
            self._ahead.append(self._submit(self._share(places), self._reading))

    def _submit(self, places: Places, behind: Cursor) -> Future[Ahead]:
        """Have a thread read a batch."""
        assert self._threads is not None
        return self._threads.submit(self._gather, places, behind)

    def _drop_ahead(self) -> None:
        """Forget what was read but not handed out."""
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()
        self._reading = self.cursor

    def _gather(self, places: Places, behind: Cursor) -> Ahead:
        """Read a batch through the map. Runs on a thread."""
        pinned = self.device.type == "cuda"
        indices, corners = places.indices.numpy(), None if places.corners is None else places.corners.numpy()
        self.store.expect(indices)
        drawn = Drawn(
            images=self.images.read(indices, corners, pinned),
            labels=None if self._labels is None else self._labels[places.indices],
            inputs=None if self.inputs is None else self.inputs.read(indices, corners, pinned),
            captions=None if self._captions is None else self._captions.take(places.indices, places.captions),
            flips=places.flips,
            turns=places.turns,
        )
        return Ahead(behind, drawn.each(pin) if pinned else drawn)


@contextmanager
def _undisturbed(seed: int, device: torch.device) -> Iterator[None]:
    """torch's generators are seeded in here; afterwards the CPU's and that of a CUDA device are as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _budget(device: torch.device, limit: int) -> int:
    """How many bytes of samples may live on `device`: `limit`, and on CUDA at most half of what is free."""
    if device.type == "cuda":
        return min(limit, torch.cuda.mem_get_info(device)[0] // 2)
    return limit
