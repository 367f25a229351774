"""Images in an array file: NumPy's npz and npy, and HDF5."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.sources import naming, ranges
from gan_lab.data.sources.array_files import opened
from gan_lab.data.sources.attributes import check_attributes, chosen, of_columns
from gan_lab.data.sources.layouts import SPLITS
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.paths import absolute
from gan_lab.data.sources.source import Label, Sample, Source
from gan_lab.errors import ConfigError

IMAGE_KEYS = ("images", "image", "imgs", "x", "data", "arr_0")
LABEL_KEYS = ("labels", "label", "y", "targets", "target")


class Contents(NamedTuple):
    """What was found: the images' key, the order of the axes, black and white, the labels or the attributes."""

    images: str
    axes: str
    black: float
    white: float
    size: int
    channels: int
    labels: naming.Labelled | None = None
    attributes: list[tuple[int, ...]] | None = None

    @property
    def of_each(self) -> Sequence[Label | None] | None:
        """The label of each image, or which attributes it has."""
        return self.attributes if self.labels is None else self.labels.of_each


class Arrays(Source):
    """The images in an npz, npy or HDF5 file; arrays of Python objects are refused, nothing is ever unpickled.

    `images` and `labels` are keys in the file. Left open, the images are what is called `images`, `x`, `data`, ... or
    `x_train`, `train_images`, `train/images`, ... of the wanted split, or else the only array of images; the labels
    `labels`, `y`, ... likewise; `labels: none` leaves them out. Labels are whole numbers or words, `(N,)` or `(N, 1)`;
    the distinct ones, sorted, are the classes. `attributes` are arrays of 0 and 1 (or -1 and 1) in their
    place, or where `labels` names an array `(N, A)`, what its columns are called. `layout` and `range` say what
    `gan_lab.data.sources.ranges` cannot tell. Raises ConfigError for what is missing or ambiguous.
    """

    def __init__(
        self,
        path: str | Path,
        split: str = "train",
        key: str = "dataset.path",
        images: str | None = None,
        labels: str | None = None,
        range: Sequence[float] | None = None,
        layout: str | None = None,
        attributes: Sequence[str] | None = None,
    ) -> None:
        check_attributes(attributes)
        if layout is not None and layout not in ranges.LAYOUTS:
            raise ConfigError(f"dataset.reader.layout={layout}: choose {', '.join(ranges.LAYOUTS)}")
        self.path = absolute(path, key)
        self.split = split
        self.key = key
        self.images = images
        self.labels = labels
        self.range = range
        self.layout = layout
        self.wanted = attributes

    @property
    def identity(self) -> str:
        """The absolute path, the options, and the file's size and time."""
        status = self.path.stat()
        options: list[Any] = [
            self.split,
            self.images,
            self.labels,
            self.range,
            self.layout,
            status.st_size,
            status.st_mtime_ns,
        ]
        options += [] if self.wanted is None else [list(self.wanted)]
        return f"arrays:{self.path}:{hashlib.sha256(repr(options).encode()).hexdigest()[:16]}"

    def describe(self) -> str:
        return f"{self.path.suffix.removeprefix('.')} file {self.path}, {self._found.images}".removesuffix(", ")

    @property
    def channels(self) -> int:
        return 1 if self._found.channels == 1 else 3

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return (self._found.labels.classes or None) if self._found.labels else None

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return None if self.wanted is None else [str(name) for name in self.wanted]

    def __len__(self) -> int:
        return self._found.size

    def __iter__(self) -> Iterator[Sample]:
        found = self._found
        place = 0
        with opened(self.path, self.key) as arrays:
            for chunk in ranges.chunks(arrays[found.images]):
                pixels = ranges.to_bytes(chunk, found.black, found.white)
                for image in _channels_first(pixels, found.axes):
                    yield f"row {place}", image, None if found.of_each is None else found.of_each[place]
                    place += 1

    @cached_property
    def _found(self) -> Contents:
        with opened(self.path, self.key) as arrays:
            name = self._images_in(arrays)
            values = arrays[name]
            where = f"{self.key}: {self.path}" + (f", {name}" if name else "")
            axes = ranges.layout(values.shape, self.layout, where)
            if values.dtype.kind not in "buif":
                raise ConfigError(f"{where}: {values.dtype} is not numbers")
            black, white = ranges.black_and_white(values, self.range, where)
            channels = {"NHW": 1, "NHWC": values.shape[-1], "NCHW": values.shape[1]}[axes]
            found = Contents(name, axes, black, white, len(values), channels)
            if self.wanted is not None:
                return found._replace(attributes=self._read_attributes(arrays, self.wanted, len(values)))
            label_name = self._labels_in(arrays, name)
            labels = None if label_name is None else self._read_labels(arrays, label_name, len(values))
            return found._replace(labels=labels)

    def _read_attributes(self, arrays: Mapping[str, Any], wanted: Sequence[str], count: int) -> list[tuple[int, ...]]:
        """Of the columns of the array `labels` `(N, A)`, which are called so; else of arrays of these names."""
        if self.labels not in (None, naming.NO_LABELS):
            table = np.asarray(arrays[self._named(arrays, str(self.labels), "dataset.labels")][()])
            if table.ndim != 2 or table.shape[1] != len(wanted):
                raise ConfigError(
                    f"dataset.attributes={listed(list(map(str, wanted)))}: {self.path}, {self.labels} is "
                    f"{list(table.shape)}, where a column of each is wanted"
                )
            names, columns = [*map(str, wanted)], table.T.tolist()
        else:
            names = chosen(wanted, [*arrays], str(self.path))
            columns = [_column(arrays[name], f"{self.key}: {self.path}, {name}") for name in names]
        rows = of_columns(names, columns, str(self.path))
        if len(rows) != count:
            raise ConfigError(f"{self.key}: {self.path} has {count} images and {len(rows)} rows of attributes")
        return rows

    def _read_labels(self, arrays: Mapping[str, Any], name: str, count: int) -> naming.Labelled:
        values = _column(arrays[name], f"{self.key}: {self.path}, {name}")
        if len(values) != count:
            raise ConfigError(f"{self.key}: {self.path} has {count} images and {len(values)} {name}")
        return naming.Column(f"{self.key}: {self.path}, {name}", wanted=self.labels is not None).read(values)

    def _images_in(self, arrays: Mapping[str, Any]) -> str:
        if self.images is not None:
            return self._named(arrays, self.images, "dataset.reader.images")
        found = self._of_split(arrays, IMAGE_KEYS)
        if not found:
            found = [name for name in arrays if len(arrays[name].shape) in (3, 4)]
        if len(found) != 1:
            has = "could be the images" if found else "is an array of images"
            shown = listed(found or list(arrays)) or "nothing"
            raise ConfigError(
                f"{self.key}: {self.path}: {'more than one' if found else 'none'} of its arrays {has} ({shown}); "
                "say dataset.reader.images=NAME"
            )
        return found[0]

    def _labels_in(self, arrays: Mapping[str, Any], images: str) -> str | None:
        if self.labels == naming.NO_LABELS:
            return None
        if self.labels is not None:
            return self._named(arrays, self.labels, "dataset.labels")
        found = [name for name in self._of_split(arrays, LABEL_KEYS, optional=True) if name != images]
        if len(found) > 1:
            raise ConfigError(
                f"{self.key}: {self.path}: {' and '.join(found)} could be the labels; say dataset.labels=NAME (or none)"
            )
        return found[0] if found else None

    def _named(self, arrays: Mapping[str, Any], name: str, key: str) -> str:
        if name not in arrays:
            raise ConfigError(f"{key}={name}: {self.path} has {listed(list(arrays)) or 'one nameless array'}")
        return name

    def _of_split(self, arrays: Mapping[str, Any], plain: Sequence[str], optional: bool = False) -> list[str]:
        """The arrays called one of `plain`, of the wanted split where the file tells splits apart."""
        lower = {name.lower(): name for name in arrays}
        splits = {
            split: [lower[key] for word in words for key in _spellings(word, plain) if key in lower]
            for split, words in SPLITS.items()
        }
        if any(splits.values()):
            wanted = next((split for split, words in SPLITS.items() if self.split.lower() in words), self.split)
            if not splits.get(wanted) and not optional:
                has = ", ".join(split for split, names in splits.items() if names)
                raise ConfigError(f"dataset.split={self.split}: {self.path} has {has}")
            return splits.get(wanted, [])
        return [lower[key] for key in plain if key in lower]


def _spellings(split: str, plain: Sequence[str]) -> Iterator[str]:
    """x_train, train_x, train/x."""
    for name in plain:
        yield from (f"{name}_{split}", f"{split}_{name}", f"{split}/{name}")


def _column(values: Any, where: str) -> list[Any]:
    """Labels `(N,)` or `(N, 1)` as a list of plain values. Raises ConfigError, beginning with `where`, for others."""
    array = np.asarray(values.asstr()[()] if _is_text_of_hdf5(values) else values[()])
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ConfigError(
            f"{where}: shape {list(array.shape)}, where one label of each image is wanted; of one-hot labels save the "
            "argmax(1), of attributes name the columns (dataset.attributes=[...]), or leave them out with "
            "dataset.labels=none"
        )
    column: list[Any] = array.tolist()
    return column


def _is_text_of_hdf5(values: Any) -> bool:
    return values.dtype.kind == "O" and hasattr(values, "asstr")


def _channels_first(pixels: NDArray[np.uint8], axes: str) -> NDArray[np.uint8]:
    if axes == "NHW":
        return pixels[:, None]
    return pixels if axes == "NCHW" else np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
