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

from gan_lab.data.dataset import Dataset
from gan_lab.data.held_out import held_out, held_out_by_itself
from gan_lab.engine.tf32 import without_tf32
from gan_lab.errors import GanLabError
from gan_lab.features.extractor import Extracted, Extractor
from gan_lab.metrics.frechet import Moments
from gan_lab.metrics.inputs import Inputs, card_of
from gan_lab.metrics.whole_pictures import whole_pictures
from gan_lab.storage.files import write_whole
from gan_lab.storage.root import data_root
from gan_lab.storage.shared import made_once

VERSION = 1
AT_ONCE = 256  # images
SEED = 0  # of the order in which fewer than all images are taken


class Reference:
    """The images of a store as an extractor sees them. `extractor` is ready when this is made; `device` is for measures
    that train something. `inputs` are the samples that a generator is asked by which makes images from others: those of
    this data, with `degradation` (see `gan_lab.metrics.inputs.Inputs`), unless `take_inputs` has found better ones."""

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
        self.inputs = Inputs(data, split, degradation)
        self._held_out: dict[str, Reference] = {}

    @property
    def card(self) -> dict[str, Any]:
        """What tells this data from other data."""
        return card_of(self.data.store, self.split)

    @cached_property
    def moments(self) -> Moments:
        """Of the features of all images."""

        def make() -> dict[str, NDArray[Any]]:
            moments = Moments()
            for extracted in self._extracted(np.arange(len(self.data.store))):
                moments.add(extracted.features)
            return moments.state()

        return Moments.of(self._kept("moments", make))

    @cached_property
    def dimensions(self) -> int:
        """Of the features."""
        return int(next(self._extracted(np.arange(1))).features.shape[1])

    def features(self, n: int) -> Tensor:
        """`(min(n, N), D)` float32, of images chosen once and for all."""
        return torch.from_numpy(self._of(n)["features"])

    def labels(self, n: int) -> Tensor | None:
        """The labels of those images."""
        labels = self.data.store.labels
        return None if labels is None else torch.from_numpy(labels[self.places(n)])

    def images(self, n: int) -> Tensor:
        """Those images as stored."""
        return torch.from_numpy(np.array(self.data.store.images[self.places(n)]))

    def held_out(self, name: str, key: str) -> Reference:
        """Images that the data does not hold, seen by the same extractor: a split, or what lies at a path. Raises
        GanLabError naming `key` (see `gan_lab.data.held_out`)."""
        if name not in self._held_out:
            self._held_out[name] = self._of_others(*held_out(self.data, name, key))
        return self._held_out[name]

    def _of_others(self, data: Dataset, split: str) -> Reference:
        return Reference(data, self.extractor, split, self.device, self.degradation)

    def take_inputs(self, name: str | None, key: str, whole: bool = False, multiple: int = 1) -> None:
        """Ask generators by the samples that `name` means: this split, another, or what lies at a path. None: those of
        the test split, else the validation split, where the dataset has one; else these. With `whole` they are pictures
        of any size, one by one (see `gan_lab.metrics.whole_pictures`). Raises as `held_out`."""
        if whole:
            self.inputs = whole_pictures(self.data, name, self.split, key, self.degradation, multiple)
        elif name is not None:
            if name != self.split:
                self.inputs = self.held_out(name, key).inputs
        else:
            try:
                found = held_out_by_itself(self.data, key)
            except GanLabError as error:
                raise GanLabError(f"{error}; {key}={self.split} takes those of training") from error
            if found is not None:
                self.inputs = self._held_out.setdefault(found[1], self._of_others(*found)).inputs

    @cached_property
    def class_shares(self) -> NDArray[np.float64] | None:
        """How often each class occurs, summing to 1; None where there are none."""
        labels = self.data.store.labels
        if labels is None or not self.data.store.num_classes:
            return None
        counts = np.bincount(labels, minlength=self.data.store.num_classes)
        shares: NDArray[np.float64] = counts / counts.sum()
        return shares

    def _of(self, n: int) -> dict[str, NDArray[Any]]:
        chosen = self.places(n)

        def make() -> dict[str, NDArray[Any]]:
            parts = [extracted.features for extracted in self._extracted(chosen)]
            return {"features": torch.cat(parts).numpy()}

        return self._kept(f"features-{len(chosen)}", make)

    def places(self, n: int) -> NDArray[np.int64]:
        """Where these images are in the store."""
        return choose(n, len(self.data.store))

    def _extracted(self, places: NDArray[np.int64]) -> Iterator[Extracted]:
        for start in range(0, len(places), AT_ONCE):
            images = np.array(self.data.store.images[places[start : start + AT_ONCE]])
            with without_tf32():
                extracted = self.extractor(torch.from_numpy(images))
            yield extracted

    def _kept(self, kind: str, make: Callable[[], dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        about = self.extractor
        decides = f"{VERSION} {self.data.store.sha256} {about.name} {about.identity} {about.resizer} {kind}"
        digest = hashlib.sha256(decides.encode()).hexdigest()[:16]
        path = data_root() / "references" / f"{self.data.store.name}-{about.name}-{kind}-{digest}.npz"
        return made_once(path, _load, make, _save)


def choose(n: int, count: int) -> NDArray[np.int64]:
    """`min(n, count)` places of `count`, in order; the same every time."""
    if n >= count:
        return np.arange(count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(SEED)).numpy()
    return np.sort(order[:n])


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
