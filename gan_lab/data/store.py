"""The packed store: named columns in flat files that are mapped into memory, and a card that describes them.

A store is a folder: `card.json`, and a file for each column that the data has.

- `image`: `images.u8` (uint8, C order, `(N, C, H, W)`) or `images.f32` (float32, in [-1, 1]).
- `label`: `labels.i64` (int64), `(N,)`: indices into the card's `classes`; or `(N, A)`: 1 for each of its A
  `attributes` that an image has, else 0.
- `input`: `inputs.u8` or `inputs.f32`, `(N, C', H', W')`: what the image is made from, where pairs were packed.
- `caption`: `captions.i64` (int64, `(N, K, L)`): K captions of L tokens each; one that is all 0 is none.

Cards of version 1 have images and labels alone; those of version 2 list their columns, each with dtype and shape.
`gan_lab.data.packing` writes a store whole or not at all; nothing changes it later.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.card import CARD, LABELS, NAMED_COLUMNS, STORED, VERSION, columns_of, is_card
from gan_lab.errors import GanLabError
from gan_lab.storage.lock import share
from gan_lab.storage.root import data_root as data_root

if TYPE_CHECKING:
    from torch import Tensor


class StoreError(GanLabError):
    """A store that is damaged or of another version; the message says how to get a good one."""


class Store:
    """A packed store, opened for reading; raises StoreError when it is not whole.

    `images` `(N, C, H, W)` is uint8 or float32; `labels` int64, `(N,)` indices into `classes` or `(N, A)` 0 and 1 for
    the `attributes`; `inputs` is as images are, of a shape of its own; `captions` `(N, K, L)` int64. What the data does
    not have is None. All are mapped read-only and opened at once, so a store that is replaced later stays what it was
    for whoever holds it; and while it is held, `gan-lab data remove` leaves it alone.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.card = self._read_card()
        self.columns = columns_of(self.card)
        self._check_sizes()
        try:
            images = self._map("image")
            assert images is not None
            self.images: NDArray[Any] = images
            self.inputs = self._map("input")
            self.captions: NDArray[np.int64] | None = self._map("caption")
            self.labels = self._read_labels()
            share(self.folder / CARD, self)
        except OSError as error:
            raise self._damaged(f"{error.filename} cannot be read ({error.strerror})") from error

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(C, H, W)` of an image."""
        channels, height, width = self.card["shape"]
        return channels, height, width

    @property
    def input_shape(self) -> tuple[int, int, int] | None:
        """`(C', H', W')` of an input."""
        if "input" not in self.columns:
            return None
        channels, height, width = self.columns["input"].shape
        return channels, height, width

    @property
    def dtype(self) -> str:
        """Of the images: `uint8`, or `float32` for what is stored as the networks see it."""
        return str(self.card.get("dtype", "uint8"))

    @property
    def classes(self) -> list[str] | None:
        found: list[str] | None = self.card["classes"]
        return found

    @property
    def num_classes(self) -> int | None:
        return None if self.classes is None else len(self.classes)

    @property
    def attributes(self) -> list[str] | None:
        """The names of what an image may have, where its label is a row of these."""
        found: list[str] | None = self.card.get("attributes")
        return found

    @property
    def attribute_shares(self) -> dict[str, float] | None:
        """The share of the images that have each attribute."""
        if self.attributes is None or self.labels is None:
            return None
        return dict(zip(self.attributes, self.labels.mean(0).round(6).tolist(), strict=True))

    @property
    def words(self) -> list[str] | None:
        """The vocabulary that the captions are written in (see `gan_lab.data.tokens`)."""
        found: list[str] | None = self.card.get("words")
        return found

    @property
    def sha256(self) -> str:
        """Of what is stored: what a checkpoint remembers of its data. The bytes of the images and then of the labels
        decide it; after them, for each other column, its own checksum."""
        return str(self.card["sha256"])

    @property
    def nbytes(self) -> int:
        """The size of everything but the labels."""
        return len(self) * sum(column.nbytes for name, column in self.columns.items() if name != "label")

    def expect(self, indices: NDArray[np.int64]) -> None:
        """Have the system begin to read these samples, all at once: taking one page after the other from a cold disk
        waits for each of them. Raises StoreError where a file is shorter than it was."""
        self.check_mapped()
        _expect(self.images, indices)
        if self.inputs is not None:
            _expect(self.inputs, indices)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """The images at `indices` as a batch has them: float `(n, C, H, W)` in [-1, 1], on the CPU."""
        import torch

        self.check_mapped()
        return normalised(torch.from_numpy(np.array(self.images[np.asarray(indices, np.int64)])))

    def chunks(self, most: int) -> Iterator[tuple[slice, NDArray[Any]]]:
        """All images, so many at a time that they take up to `most` bytes (one at least): where they are, and they."""
        step = max(1, most // self.images[0].nbytes)
        for start in range(0, len(self), step):
            place = slice(start, start + step)
            self.check_mapped()
            yield place, np.ascontiguousarray(self.images[place])

    def __len__(self) -> int:
        return int(self.card["count"])

    def verify(self) -> None:
        """Read everything and compare with the card's checksum. Raises StoreError."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        for column in (self.inputs, self.captions):
            if column is not None:
                digest.update(hashlib.sha256(np.ascontiguousarray(column).data).digest())
        if digest.hexdigest() != self.sha256:
            raise self._damaged("the images are not those that were packed")

    def check_mapped(self) -> None:
        """Raise StoreError where somebody has cut a file short that is mapped: to read what is gone ends the process by
        SIGBUS, without a word. Takes a microsecond a column."""
        for name, column in (("image", self.images), ("input", self.inputs), ("caption", self.captions)):
            mapped = getattr(column, "_mmap", None)
            if column is not None and isinstance(mapped, mmap.mmap) and mapped.size() < column.nbytes:
                file = self.columns[name].file(name)
                raise self._damaged(f"{file} has {mapped.size()} bytes instead of {column.nbytes}, and had them before")

    def _read_card(self) -> dict[str, Any]:
        try:
            card = json.loads((self.folder / CARD).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(f"{CARD} cannot be read") from error
        if not isinstance(card, dict) or card.get("version") not in (VERSION, NAMED_COLUMNS):
            version = card.get("version") if isinstance(card, dict) else None
            raise self._damaged(f"card version {version}, this gan-lab reads {VERSION} and {NAMED_COLUMNS}")
        if not is_card(card):
            raise self._damaged(f"{CARD} does not hold what it should")
        return card

    def _check_sizes(self) -> None:
        for name, column in self.columns.items():
            path, size = self.folder / column.file(name), len(self) * column.nbytes
            actual = path.stat().st_size if path.is_file() else 0
            if actual != size:
                raise self._damaged(f"{path.name} has {actual} bytes instead of {size}")

    def _map(self, name: str) -> NDArray[Any] | None:
        if name not in self.columns:
            return None
        column = self.columns[name]
        return np.memmap(self.folder / column.file(name), STORED[column.dtype], "r", shape=(len(self), *column.shape))

    def _read_labels(self) -> NDArray[np.int64] | None:
        if "label" not in self.columns:
            return None
        labels: NDArray[np.int64] = np.fromfile(self.folder / LABELS, dtype="<i8").astype(np.int64, copy=False)
        kinds = 2 if self.classes is None else len(self.classes)
        if labels.min() < 0 or labels.max() >= kinds:
            what = "classes that the card does not have" if self.classes else "attributes otherwise than by 0 and 1"
            raise self._damaged(f"{LABELS} names {what}")
        return labels.reshape(len(self), *self.columns["label"].shape)

    def _damaged(self, what: str) -> StoreError:
        name = self.folder.name.rsplit("-", 2)[0]
        return StoreError(
            f"store {self.folder}: {what}; repack it (gan-lab data pack dataset={name} ... force=true) "
            f"or remove it (gan-lab data remove {self.folder.name})"
        )


def normalised(pixels: Tensor) -> Tensor:
    """uint8 to [-1, 1] as float32: x / 127.5 - 1. What is float already is that already."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(127.5).sub_(1)


def _expect(column: NDArray[Any], indices: NDArray[np.int64]) -> None:
    mapped = getattr(column, "_mmap", None)
    if not hasattr(mmap, "MADV_WILLNEED") or not isinstance(mapped, mmap.mmap):
        return
    size = column[0].nbytes
    for index in indices.tolist():
        start = index * size // mmap.PAGESIZE * mmap.PAGESIZE
        mapped.madvise(mmap.MADV_WILLNEED, start, (index + 1) * size - start)
