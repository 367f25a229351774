"""The packed store: images and labels in flat files that are mapped into memory, and a card that describes them.

A store is a folder of three files: `images.u8` (uint8, C order, `(N, C, H, W)`) or `images.f32` (float32, in [-1, 1]),
`labels.i64` (int64, `(N,)`; absent without labels) and `card.json`. `gan_lab.data.packing` writes it whole or not at
all; nothing changes it later.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.errors import GanLabError
from gan_lab.storage.root import data_root as data_root

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1
IMAGES, POINTS, LABELS, CARD = "images.u8", "images.f32", "labels.i64", "card.json"
FILES = {"uint8": IMAGES, "float32": POINTS}  # by the card's dtype; a card without one means uint8
_STORED: dict[str, np.dtype[Any]] = {"uint8": np.dtype(np.uint8), "float32": np.dtype("<f4")}


class StoreError(GanLabError):
    """A store that is damaged or of another version; the message says how to get a good one."""


class Store:
    """A packed store, opened for reading; raises StoreError when it is not whole.

    `images` is uint8, or float32, `(N, C, H, W)`, mapped read-only; `labels` int64 `(N,)`, indices into `classes`, or
    None. Both are opened at once, so a store that is replaced later stays what it was for whoever holds it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.card = self._read_card()
        self._check_sizes()
        try:
            self.images: NDArray[Any] = np.memmap(
                self.folder / FILES[self.dtype], _STORED[self.dtype], "r", shape=(len(self), *self.shape)
            )
            self.labels = self._read_labels()
        except OSError as error:
            raise self._damaged(f"{error.filename} cannot be read ({error.strerror})") from error

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(C, H, W)`."""
        channels, height, width = self.card["shape"]
        return channels, height, width

    @property
    def dtype(self) -> str:
        """`uint8`, or `float32` for what is stored as the networks see it."""
        return str(self.card.get("dtype", "uint8"))

    @property
    def classes(self) -> list[str] | None:
        found: list[str] | None = self.card["classes"]
        return found

    @property
    def num_classes(self) -> int | None:
        return None if self.classes is None else len(self.classes)

    @property
    def sha256(self) -> str:
        """Of the images and then the labels, as stored: what a checkpoint remembers of its data."""
        return str(self.card["sha256"])

    @property
    def nbytes(self) -> int:
        """The size of the images."""
        return len(self) * math.prod(self.shape) * _STORED[self.dtype].itemsize

    def expect(self, indices: NDArray[np.int64]) -> None:
        """Have the system begin to read these images, all at once: taking one page after the other from a cold disk
        waits for each of them."""
        mapped = getattr(self.images, "_mmap", None)
        if not hasattr(mmap, "MADV_WILLNEED") or not isinstance(mapped, mmap.mmap):
            return
        size = self.images[0].nbytes
        for index in indices.tolist():
            start = index * size // mmap.PAGESIZE * mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, start, (index + 1) * size - start)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """The images at `indices` as a batch has them: float `(n, C, H, W)` in [-1, 1], on the CPU."""
        import torch

        return normalised(torch.from_numpy(np.array(self.images[np.asarray(indices, np.int64)])))

    def __len__(self) -> int:
        return int(self.card["count"])

    def verify(self) -> None:
        """Read everything and compare with the card's checksum. Raises StoreError."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        if digest.hexdigest() != self.sha256:
            raise self._damaged("the images are not those that were packed")

    def _read_card(self) -> dict[str, Any]:
        try:
            card = json.loads((self.folder / CARD).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(f"{CARD} cannot be read") from error
        if not isinstance(card, dict) or card.get("version") != VERSION:
            version = card.get("version") if isinstance(card, dict) else None
            raise self._damaged(f"card version {version}, this gan-lab reads {VERSION}")
        if not _is_card(card):
            raise self._damaged(f"{CARD} does not hold what it should")
        return card

    def _check_sizes(self) -> None:
        expected = {FILES[self.dtype]: self.nbytes}
        if self.classes is not None:
            expected[LABELS] = 8 * len(self)
        for name, size in expected.items():
            path = self.folder / name
            actual = path.stat().st_size if path.is_file() else 0
            if actual != size:
                raise self._damaged(f"{name} has {actual} bytes instead of {size}")

    def _read_labels(self) -> NDArray[np.int64] | None:
        if self.classes is None:
            return None
        labels: NDArray[np.int64] = np.fromfile(self.folder / LABELS, dtype="<i8").astype(np.int64, copy=False)
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise self._damaged(f"{LABELS} names classes that the card does not have")
        return labels

    def _damaged(self, what: str) -> StoreError:
        name = self.folder.name.rsplit("-", 2)[0]
        return StoreError(
            f"store {self.folder}: {what}; repack it (gan-lab data pack dataset={name} ... force=true) "
            "or delete the folder"
        )


def normalised(pixels: Tensor) -> Tensor:
    """uint8 to [-1, 1] as float32: x / 127.5 - 1. What is float already is that already."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(127.5).sub_(1)


def _is_card(card: dict[str, Any]) -> bool:
    shape, count, classes = card.get("shape"), card.get("count"), card.get("classes")
    return (
        isinstance(shape, list)
        and len(shape) == 3
        and all(type(side) is int and side > 0 for side in shape)
        and type(count) is int
        and count > 0
        and card.get("dtype", "uint8") in FILES
        and (classes is None or (isinstance(classes, list) and all(isinstance(name, str) for name in classes)))
        and all(isinstance(card.get(key), str) for key in ("name", "source", "origin", "fit", "sha256"))
    )
