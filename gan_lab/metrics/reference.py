"""The real side of a comparison: statistics and features of the data, computed once and kept beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import Dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.stream import Stream
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.extractor import Extracted, Extractor
from gan_lab.metrics.frechet import Moments
from gan_lab.storage.files import write_whole
from gan_lab.storage.root import data_root
from gan_lab.storage.shared import made_once

VERSION = 1
AT_ONCE = 256  # images
HELD_OUT = ("test", "val")  # splits that training does not see
SEED = 0  # of the order in which fewer than all images are taken


class Reference:
    """The images of a store as an extractor sees them. `extractor` is ready when this is made; `device` is for measures
    that train something. `inputs` are the samples that a generator is asked by which makes images from others: these,
    unless `take_inputs` has found better ones. `degradation` is the configuration of what makes inputs of images, where
    the data has none."""

    def __init__(
        self,
        data: Dataset,
        extractor: Extractor,
        split: str = "train",
        device: torch.device | str = "cpu",
        degradation: Mapping[str, Any] | None = None,
    ) -> None:
        self.data = data
        self.degradation = degradation
        self.extractor = extractor.settled()
        self.split = split
        self.device = torch.device(device)
        self.inputs = self
        self._held_out: dict[str, Reference] = {}

    def __len__(self) -> int:
        return len(self.data.store)

    @property
    def card(self) -> dict[str, Any]:
        """What tells this data from other data."""
        store = self.data.store
        shape = "x".join(map(str, store.shape))
        return {
            "name": store.name,
            "split": self.split,
            "sha256": store.sha256[:16],
            "count": len(store),
            "shape": shape,
        }

    @cached_property
    def moments(self) -> Moments:
        """Of the features of all images."""

        def make() -> dict[str, NDArray[Any]]:
            moments = Moments()
            for extracted in self._extracted(np.arange(len(self.data.store))):
                moments.add(extracted.features)
            return moments.state()

        return Moments.of(self._kept("moments", make))

    def features(self, n: int) -> Tensor:
        """`(min(n, N), D)` float32, of images chosen once and for all."""
        return torch.from_numpy(self._of(n)["features"])

    def labels(self, n: int) -> Tensor | None:
        """The classes of those images."""
        labels = self.data.store.labels
        return None if labels is None else torch.from_numpy(labels[self.places(n)])

    def images(self, n: int) -> Tensor:
        """Those images as stored."""
        return torch.from_numpy(np.array(self.data.store.images[self.places(n)]))

    def held_out(self, name: str, key: str) -> Reference:
        """Images that the data does not hold, seen by the same extractor: a split, or what lies at a path. Raises
        GanLabError naming `key` (see `gan_lab.data.held_out`)."""
        if name not in self._held_out:
            data, split = held_out(self.data, name, key)
            self._held_out[name] = Reference(data, self.extractor, split, self.device, self.degradation)
        return self._held_out[name]

    def take_inputs(self, name: str | None, key: str) -> None:
        """Ask generators by the samples that `name` means: this split, another, or what lies at a path. None: those of
        the test split, else the validation split, where the dataset has one; else these. Raises as `held_out`."""
        if name is not None:
            self.inputs = self if name == self.split else self.held_out(name, key)
        elif self.data.config is not None and "split" in self.data.config:
            for split in HELD_OUT:
                try:
                    self.inputs = self.held_out(split, key)
                    return
                except ConfigError:
                    continue  # there is no such split
                except GanLabError as error:
                    raise GanLabError(f"{error}; {key}={self.split} takes those of training") from error

    @property
    def card_of_inputs(self) -> dict[str, Any]:
        """The same where its samples are what a generator is asked by: with what their inputs are made by."""
        return {**self.card, "degradation": self.degradation} if self.degradation else self.card

    @property
    def paired(self) -> bool:
        """Whether each image has an input that it is to be made from."""
        return bool(self.degradation) or self.data.store.inputs is not None

    @cached_property
    def samples(self) -> Stream:
        """The data as a round has it, a sample at a time; inputs that are drawn are the same every time."""
        return self.data.samples(build(self.degradation, "degradation") if self.degradation else None)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(C, H, W)` of an image as a round has it."""
        return self.samples.images.shape

    def batch(self, places: NDArray[np.int64]) -> Batch:
        """The samples at these places as a round has them, on the CPU."""
        return self.samples.at(torch.from_numpy(places))

    @cached_property
    def class_shares(self) -> NDArray[np.float64] | None:
        """How often each class occurs, summing to 1."""
        labels = self.data.store.labels
        if labels is None:
            return None
        counts = np.bincount(labels, minlength=self.data.store.num_classes or 0)
        shares: NDArray[np.float64] = counts / counts.sum()
        return shares

    def _of(self, n: int) -> dict[str, NDArray[Any]]:
        chosen = self.places(n)

        def make() -> dict[str, NDArray[Any]]:
            parts = [extracted.features for extracted in self._extracted(chosen)]
            return {"features": torch.cat(parts).numpy()}

        return self._kept(f"features-{len(chosen)}", make)

    def places(self, n: int) -> NDArray[np.int64]:
        """Where `min(n, N)` samples are, chosen once and for all, in the order of the store."""
        store = self.data.store
        if n >= len(store):
            return np.arange(len(store))
        order = torch.randperm(len(store), generator=torch.Generator().manual_seed(SEED)).numpy()
        return np.sort(order[:n])

    def _extracted(self, places: NDArray[np.int64]) -> Iterator[Extracted]:
        for start in range(0, len(places), AT_ONCE):
            images = np.array(self.data.store.images[places[start : start + AT_ONCE]])
            yield self.extractor(torch.from_numpy(images))

    def _kept(self, kind: str, make: Callable[[], dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        about = self.extractor
        decides = f"{VERSION} {self.data.store.sha256} {about.name} {about.identity} {about.resizer} {kind}"
        digest = hashlib.sha256(decides.encode()).hexdigest()[:16]
        path = data_root() / "references" / f"{self.data.store.name}-{about.name}-{kind}-{digest}.npz"
        return made_once(path, _load, make, _save)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
