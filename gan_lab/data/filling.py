"""Filling the folder of a store: a file for each column that the samples of a source have, and the card."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_lab import __version__
from gan_lab.data import tokens
from gan_lab.data.card import CARD, NAMED_COLUMNS, STORED, VERSION, Column
from gan_lab.data.patches import Patch, cut, cut_pairs
from gan_lab.data.progress import Progress
from gan_lab.data.sizes import Sizes
from gan_lab.data.sources import naming
from gan_lab.data.sources.images import ImageError, fit, pixels
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.naming import without_label
from gan_lab.data.sources.source import Example, Label, Source, has_one_channel
from gan_lab.errors import ConfigError, GanLabError

Picture = Image.Image | NDArray[Any]

SHOWN = 5  # names in a message

log = logging.getLogger(__name__)


class Form(NamedTuple):
    """What samples become: the shapes of image and input, how pictures are fitted to them, what reads captions, and the
    squares that pictures are cut into instead of fitting them."""

    shape: tuple[int, ...]
    how: str
    input_shape: tuple[int, ...]
    tokenizer: tokens.Words
    patch: Patch | None = None


class ColumnFile:
    """A column on its way to the disk, row by row."""

    def __init__(self, folder: Path, name: str, column: Column) -> None:
        self.name, self.column = name, column
        self.digest = hashlib.sha256()
        self.file: BinaryIO = open(folder / column.file(name), "wb", buffering=1 << 20)  # noqa: SIM115

    @classmethod
    def whole(cls, folder: Path, name: str, rows: NDArray[Any]) -> ColumnFile:
        """A column of int64 whose rows are all there."""
        made = cls(folder, name, Column("int64", rows.shape[1:]))
        made.write(rows)
        made.close()
        return made

    def write(self, rows: NDArray[Any]) -> None:
        data = np.ascontiguousarray(rows, STORED[self.column.dtype]).data
        self.file.write(data)
        self.digest.update(data)

    def close(self) -> None:
        """Until it lies on the disk."""
        with self.file:
            _sync(self.file)


def fill(folder: Path, source: Source, form: Form, name: str) -> None:
    """Write the files of a store of all examples of `source` into `folder`. Raises GanLabError for a picture that
    cannot be read and for a column that not every example has, ConfigError for a source without images."""
    filling = Filling(folder, source, form)
    progress = Progress(f"packing {name}", len(source))
    try:
        for example in source.examples():
            filling.add(example)
            progress.update(filling.read)
    finally:
        progress.close()
        filling.close()
    filling.check()
    card = {"version": VERSION, "name": name, "shape": [int(side) for side in form.shape], "fit": form.how}
    card |= {"source": source.describe(), "origin": source.identity}
    card |= {"resampling": "lanczos"} if source.shape is None else {"dtype": "float32"}
    card |= filling.finish()
    card |= {} if source.sample_of is None else {"sample_of": source.sample_of}
    card |= {"channels": 1 if filling.gray else 3} if source.shape is None else {}
    card |= {"gan_lab": __version__, "created": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    with open(folder / CARD, "wb") as file:
        file.write(json.dumps(card, indent=2, ensure_ascii=False).encode(errors="replace"))
        _sync(file)


class Filling:
    """The columns of a store that are being written: pictures at once, labels and captions when all are known."""

    def __init__(self, folder: Path, source: Source, form: Form) -> None:
        self.folder, self.source, self.form = folder, source, form
        self.images = ColumnFile(folder, "image", Column("uint8" if source.shape is None else "float32", form.shape))
        self.inputs: ColumnFile | None = None
        self.read = 0  # pictures
        self.sizes = Sizes(form.shape, form.how)
        self.input_sizes = Sizes(form.input_shape, form.how)
        self.squares: dict[str, int] = {}  # of each picture, where they are cut
        self.labels: list[Label | None] = []
        self.unlabelled = 0  # pictures
        self.strangers: list[str] = []  # the first few of them
        self.captions: list[list[str]] = []
        self.silent: list[str] = []  # the first few without a caption
        self.gray = True  # every image so far

    def add(self, example: Example) -> None:
        if not self.read and example.input is not None:
            self.inputs = ColumnFile(self.folder, "input", Column("uint8", self.form.input_shape))
        if (self.inputs is None) != (example.input is None):
            raise GanLabError(f"{example.name}: has {_unlike(example.input)}; nothing was packed")
        try:
            samples = _samples(example, self.source, self.form)
        except ImageError as error:
            raise GanLabError(f"{example.name}: {error}; nothing was packed") from error
        for image, other in samples:
            self.images.write(image)
            if self.inputs is not None and other is not None:
                self.inputs.write(other)
        self.read += 1
        self.labels += [example.label] * len(samples)
        if example.label is None:
            self.unlabelled += 1
            if len(self.strangers) <= SHOWN:
                self.strangers.append(example.name)
        if self.form.patch is not None:
            self.squares[example.name] = len(samples)
        captions = [caption for caption in example.captions if tokens.split(caption)]
        if captions:
            self.captions += [captions] * len(samples)
        elif len(self.silent) <= SHOWN:
            self.silent.append(example.name)
        if self.source.shape is None and self.form.patch is None:
            self.sizes.add(example.image)
            if example.input is not None:
                self.input_sizes.add(example.input)
        self.gray = self.gray and has_one_channel(example.image)

    def check(self) -> None:
        """Raises ConfigError where there is nothing; warns of pictures that are too small to be cut."""
        small = [name for name, count in self.squares.items() if not count]
        size = 0 if self.form.patch is None else self.form.patch.size
        told = f"{len(small)} of {self.read} pictures are smaller than dataset.patch.size={size}"
        if not self.labels:
            where = f"dataset: {self.source.describe()}"
            raise ConfigError(f"{where}: {told}; take smaller patches" if small else f"{where} has no images")
        if small:
            log.warning("dataset: %s and are left out (%s)", told, listed(small))

    def close(self) -> None:
        """Whatever was written of the pictures lies on the disk."""
        self.images.close()
        if self.inputs is not None:
            self.inputs.close()

    def finish(self) -> dict[str, Any]:
        """Write the rest, and tell what the card says of the columns: those of images and labels alone are as cards of
        version 1 have them."""
        labels, captions = _labels(self.labels, self.source), _tokens(self)
        first, others = [self.images], [] if self.inputs is None else [self.inputs]
        digest = self.images.digest
        if labels is not None:
            first.append(ColumnFile.whole(self.folder, "label", labels[0]))
            digest.update(np.ascontiguousarray(labels[0], STORED["int64"]).data)
        if captions is not None:
            others.append(ColumnFile.whole(self.folder, "caption", captions[0]))
        for column in others:
            digest.update(column.digest.digest())
        attributed = labels is not None and labels[0].ndim == 2
        told: dict[str, Any] = {"count": len(self.labels), "classes": None if attributed or not labels else labels[1]}
        told |= {"attributes": labels[1]} if attributed and labels else {}
        told |= {"sha256": digest.hexdigest()}
        for name, sizes in (("sizes", self.sizes), ("input_sizes", self.input_sizes)):
            if sizes.count:
                told[name] = sizes.card()
        if 0 < self.unlabelled < self.read:
            counts = without_label(self.unlabelled, self.read, self.strangers)
            none = f"{self.source.labels_key}=none"
            told["unlabelled"] = f"{counts}, so no labels are used: label them, take them away, or say {none}"
        for doubt in naming.doubts(told["classes"] or []):
            log.warning("dataset: %s", doubt)
        if self.form.patch is not None:
            told["patch"] = {**self.form.patch._asdict(), "pictures": self.squares}
        if not others and not attributed:
            return told
        columns = {each.name: each.column._asdict() for each in (*first, *others)}
        return {**told, "version": NAMED_COLUMNS, "columns": columns} | ({"words": captions[1]} if captions else {})


def _unlike(given: Picture | None) -> str:
    return "no input, others have one" if given is None else "an input, others have none"


def _samples(example: Example, source: Source, form: Form) -> Sequence[tuple[NDArray[Any], NDArray[Any] | None]]:
    """An example as what the store will hold, image and input: once, or in as many squares as there are."""
    other = example.input
    if form.patch is None:
        input = None if other is None else fit(other, form.input_shape, form.how)
        return [(_as_stored(source, example.image, form), input)]
    image = pixels(example.image, form.shape[0])
    if other is None:
        return [(square, None) for square in cut(image, form.patch)]
    return list(cut_pairs(image, pixels(other, form.input_shape[0]), form.patch, form.input_shape))


def _as_stored(source: Source, image: Picture, form: Form) -> NDArray[Any]:
    """One image as the bytes of the store will be."""
    if source.shape is None:
        return fit(image, form.shape, form.how)
    array = np.ascontiguousarray(image, "<f4")
    if array.shape != form.shape:
        raise ImageError(f"shape {list(array.shape)} instead of {list(form.shape)}")
    return array


def _labels(labels: list[Label | None], source: Source) -> tuple[NDArray[np.int64], list[str]] | None:
    """The labels, and the names of their classes or attributes; None where not every example has one."""
    if None in labels:
        return None
    values = np.array(labels, dtype="<i8")
    if source.attributes is not None:
        return values, source.attributes
    return values, [str(name) for name in source.classes or range(int(values.max()) + 1)]


def _tokens(filling: Filling) -> tuple[NDArray[np.int64], list[str]] | None:
    """`(N, K, L)`, the tokens of up to K captions of each example, and the words they stand for; None where there is no
    caption at all. Raises ConfigError where some examples have none."""
    said, count = filling.captions, len(filling.labels)
    if not said:
        return None
    if len(said) < count:
        raise ConfigError(
            f"dataset: {count - len(said)} of {count} pictures of {filling.source.describe()} have no caption "
            f"({listed(filling.silent)}); add them to the table, or take these pictures away"
        )
    learned = filling.form.tokenizer.learn(chain.from_iterable(said))
    found = np.zeros((len(said), max(map(len, said)), learned.length), np.int64)
    for row, each in zip(found, said, strict=True):
        row[: len(each)] = learned.encode(each)
    return found, learned.words


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
