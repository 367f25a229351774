"""Pictures as they are, each of its own size: how the test sets of super-resolution (Set5, Set14, BSD100) are taken."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from os.path import abspath
from pathlib import Path
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import Dataset
from gan_lab.data.held_out import HELD_OUT, looks_like_a_path
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import pixels
from gan_lab.data.sources.opening import is_there
from gan_lab.data.sources.source import Source
from gan_lab.degradations.base import Degradation
from gan_lab.errors import ConfigError
from gan_lab.metrics.inputs import Inputs

SEED = 0  # of what a degradation draws


class WholePictures(Inputs):
    """The pictures of a source, in as many channels as the data: not fitted, not cut, one at a time. Only what is left
    over when their sides are divided by what the degradation's must be multiples of, times `multiple`, at the right and
    below, is left out. They are held in memory, eight bits a value."""

    AT_ONCE: ClassVar[int] = 1
    one_size = False

    def __init__(
        self, data: Dataset, source: Source, split: str, degradation: Mapping[str, Any], multiple: int = 1
    ) -> None:
        super().__init__(data, split, degradation)
        self.source = source
        self.degrade: Degradation = build(degradation, "degradation")
        self.multiple = multiple * self.degrade.multiple

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def pictures(self) -> list[Tensor]:
        """uint8 `(C, H, W)` each. Raises ConfigError for one of which nothing is left."""
        found = []
        for name, image, _ in self.source:
            values = torch.from_numpy(pixels(image, self.data.store.shape[0]))
            height, width = (side - side % self.multiple for side in values.shape[1:])
            if not height or not width:
                raise ConfigError(
                    f"{name}: of {values.shape[2]}x{values.shape[1]} there is no multiple of {self.multiple}"
                )
            found.append(values[:, :height, :width].contiguous())
        return found

    @property
    def card(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        for picture in self.pictures:
            digest.update(f"{tuple(picture.shape)}".encode() + picture.numpy().tobytes())
        told = {"name": self.source.describe(), "split": self.split, "sha256": digest.hexdigest()[:16]}
        return {**told, "count": len(self), "shape": "whole", "degradation": dict(self.degradation or {})}

    @property
    def paired(self) -> bool:
        return True

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """The channels, and the least height and width."""
        sides = [picture.shape[1:] for picture in self.pictures]
        return self.data.store.shape[0], min(height for height, _ in sides), min(width for _, width in sides)

    def batch(self, places: NDArray[Any]) -> Batch:
        """The one picture at this place, on the CPU."""
        (place,) = places
        image = self.pictures[int(place)][None].float() / 127.5 - 1
        with torch.random.fork_rng([]):
            torch.manual_seed(SEED)
            return Batch(image, input=self.degrade(image))


def whole_pictures(
    data: Dataset, name: str | None, split: str, key: str, degradation: Mapping[str, Any] | None, multiple: int = 1
) -> WholePictures:
    """The pictures that `name` means: a split of the dataset's pictures, or what lies at a path; None: their test or
    validation split where there is one, else those that the data was made of, whole. Raises ConfigError, in one line
    beginning with `key`, where they cannot be had, and where no degradation makes inputs of them."""
    if degradation is None:
        raise ConfigError(f"{key}: whole pictures need what makes inputs of them; choose a degradation, or whole=false")
    read: Any = Folder if data.reader is None or data.reading else data.reader
    has_splits = data.config is not None and "split" in data.config
    if name is not None and (looks_like_a_path(name) or not has_splits):
        path = abspath(Path(name).expanduser())
        if not is_there(path, key):
            raise ConfigError(f"{key}: {path} does not exist")
        return WholePictures(data, read(path, split=data.split, key=key), "path", degradation, multiple)
    if data.path is None:
        raise ConfigError(f"{key}: {data.name} has no pictures of sizes of their own; name some: {key}=FOLDER_OR_ZIP")
    if name is not None:
        return WholePictures(data, read(data.path, split=name, key=key), name, degradation, multiple)
    own = read(data.path, split=split, key=key)
    for other in HELD_OUT if has_splits else ():
        source = read(data.path, split=other, key=key)
        try:
            if getattr(source, "files", None) != getattr(own, "files", None):
                return WholePictures(data, source, other, degradation, multiple)
        except ConfigError:
            continue  # there is no such split
    return WholePictures(data, own, split, degradation, multiple)
