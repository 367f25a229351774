"""A folder or a zip of images as a source: which part of it is meant, and what its labels are."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from gan_lab.command_line.printable import printable
from gan_lab.data.sources import kinds
from gan_lab.data.sources.archive import File
from gan_lab.data.sources.attributes import (
    assign_attributes,
    check_attributes,
    is_table_of_attributes,
    read_attributes,
)
from gan_lab.data.sources.images import ImageError, decode, is_gray
from gan_lab.data.sources.labels import FOUND_BY_ITSELF, assign, read_table, speaks_of_labels
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.naming import in_order, without_label
from gan_lab.data.sources.opening import Archive, inside_of, kind_of, open_archive, stem_of
from gan_lab.data.sources.paths import require_path
from gan_lab.data.sources.source import Label, Sample, Source
from gan_lab.data.sources.splits import Chosen, aliases, choose
from gan_lab.data.sources.tables import Table, split_column
from gan_lab.data.sources.unreadable import Unreadable
from gan_lab.errors import ConfigError

BESIDE_IMAGES = frozenset(
    ".txt .csv .tsv .json .jsonl .md .rst .html .xml .yaml .yml .pdf .mat .npy .npz .db .log .ini .xmp .aae".split()
)


class Listing(NamedTuple):
    """The images that are meant, the folders above them, the split among those, and what lies beside images."""

    files: list[File]
    top: tuple[str, ...]
    split: str | None
    beside: dict[str, File]


class Folder(Source):
    """Images in a folder, zip or tar, of any size and kind; or in a folder inside of one (`x.zip/faces`).

    A single common top folder is looked through. Where the top folders are splits (train, val, test and their usual
    spellings), only `split` is read; other layouts that are no classes are refused (see `choose`). Hidden files and
    what commonly lies beside images (BESIDE_IMAGES: captions, tables, notes) are left out; anything else must be an
    image.

    `labels` is a table (`gan_lab.data.sources.labels.read_table`), named by its path inside the folder or zip or by one
    of its own, and perhaps the column in it (`FILE:COLUMN`); or `folders`, or `none`. Without it a `dataset.json` with
    labels that lies with the images or above is the table, else class folders are the labels if every image lies in one
    and there are several. Class order is by name, or by number if all names are whole numbers.
    A table without a column of labels that holds 0 and 1 (or -1 and 1) in all others is one of attributes; `attributes`
    names those columns of it that count.

    Up to `max_corrupt` files that are no whole image are left out, with one warning; the length counts them. Raises
    ConfigError for a path that is missing, broken, encrypted, not to be trusted or without images and for labels that
    do not fit; and GanLabError, after the last image, if more could not be read.
    """

    def __init__(
        self,
        path: str | Path,
        split: str = "train",
        key: str = "dataset.path",
        labels: str | None = None,
        max_corrupt: int = 0,
        attributes: Sequence[str] | None = None,
    ) -> None:
        if type(max_corrupt) is not int or max_corrupt < 0:
            raise ConfigError(f"dataset.max_corrupt={max_corrupt}: how many files may be left out, 0 or more")
        if labels is not None and (not isinstance(labels, str) or not labels):
            raise ConfigError(f"dataset.labels={labels}: a table's path, folders, none, or null to look by itself")
        self.key = key  # what the user gave the path as, for the messages
        self.path, self.inside = inside_of(path, key)
        self.split = split
        self.labels = labels
        self.max_corrupt = max_corrupt
        check_attributes(attributes)
        if attributes is not None and labels in (None, "folders", "none"):
            raise ConfigError("dataset.attributes: columns of a table; name it: dataset.labels=FILE")
        self.wanted = attributes

    @cached_property
    def _listing(self) -> Listing:
        archive = open_archive(self.path, self.key)
        try:
            every = archive.files()
        finally:
            archive.close()
        beside = {file.name: file for file in every if _suffix(file) in BESIDE_IMAGES}
        images = [file for file in every if file.name not in beside and self._is_inside(file)]
        if self.inside and not images:
            raise ConfigError(f"{self.key}: there is no {'/'.join(self.inside)} with images in {self.path}")
        self._check_kinds(images, list(beside.values()))
        chosen, top, split = self._choose(images)
        if not chosen:
            raise ConfigError(f"{self.key}: no images in {self.path.joinpath(*self.inside)}")
        return Listing(chosen, top, split, beside)

    def _check_kinds(self, images: list[File], beside: list[File]) -> None:
        """Raises ConfigError, saying what reads them, where there is nothing but files of another kind, and where there
        are archives among the images."""
        foreign = [file.name for file in images if not kinds.may_be_picture(Path(file.name))]
        where = self.path.joinpath(*self.inside)
        if len(foreign) == len(images) and (told := kinds.told_of_files(where, [*foreign, *(f.name for f in beside)])):
            raise ConfigError(f"{self.key}: no images in {where}, but {told}")
        packed = [name for name in foreign if kinds.suffix(Path(name)) in kinds.ARCHIVES]
        if packed:
            raise ConfigError(
                f"{self.key}: {self.path} holds {len(packed)} archives among {len(images)} files ({listed(packed)}); "
                "unpack them, or move them elsewhere"
            )

    def _is_inside(self, file: File) -> bool:
        return file.parts[: len(self.inside)] == self.inside and len(file.parts) > len(self.inside)

    def _choose(self, images: list[File]) -> Chosen:
        """Which of the images are meant, the folders above them, and the split among those."""
        return choose(images, self.split, self.path, self.inside, self.key, self.labels in ("folders", "none"))

    @cached_property
    def _table(self) -> Table | None:
        """The table of labels, if one is given or found."""
        if self.labels is None:
            return self.found_table(FOUND_BY_ITSELF, "dataset.labels", "dataset.labels=folders or none passes it over")
        if self.labels in ("folders", "none"):
            return None
        return self.named_table(self.labels, "dataset.labels")

    def found_table(self, name: str, key: str, otherwise: str) -> Table | None:
        """The table of this name beside the images or above them; `otherwise` says how to do without."""
        _, top, _, beside = self._listing
        names = ("/".join([*top[:depth], name]) for depth in range(len(top), -1, -1))
        found = next((beside[name] for name in names if name in beside), None)
        if found is None:
            return None
        return self._inner_table(found, f"{key} (found as {found.name} in {self.path}; {otherwise})")

    def named_table(self, name: str, key: str) -> Table:
        """The table at this path (perhaps `FILE:COLUMN`) inside of the folder or zip, or at a path of its own."""
        _, top, _, beside = self._listing
        require_path(name, key)
        key = f"{key}={printable(name)}"
        name, column = split_column(name)
        inside = "/".join(part for part in name.split("/") if part not in ("", "."))
        for known in (inside, "/".join([*top, inside])):
            if known in beside:
                return self._inner_table(beside[known], key)._replace(column=column)
        path = Path(name).expanduser()
        try:
            return Table(key, path.name, path.read_bytes(), column)
        except OSError as error:
            raise ConfigError(f"{key}: neither a table in {self.path} nor a file to read ({error.strerror})") from error

    def _inner_table(self, file: File, key: str) -> Table:
        archive = open_archive(self.path, self.key)
        try:
            return Table(key, file.name, archive.read(file))
        except ImageError as error:
            raise ConfigError(f"{key}: cannot be read ({error})") from error
        finally:
            archive.close()

    @property
    def own(self) -> str:
        """What the folder is called, or what a zip was made from: how a table may begin the paths of its files."""
        return stem_of(self.path).as_posix()

    @cached_property
    def _attributed(self) -> tuple[list[str], list[tuple[int, ...]]] | None:
        """The names of attributes, and which of them each file has; None where the labels are others."""
        table = self._table if self.labels is not None else None
        if table is None or not (self.wanted is not None or is_table_of_attributes(table)):
            return None
        names, rows = read_attributes(table, self.wanted)
        return names, assign_attributes([file.name for file in self.files], self.own, rows, table.key)

    @cached_property
    def _labelled(self) -> tuple[list[str], Sequence[int | None]] | None:
        """The classes, and the class of each file; None of one that lies beside the class folders."""
        files, top, *_ = self._listing
        table = self._table
        if table is not None and (self.labels is not None or speaks_of_labels(table.data)):
            rows = read_table(table)
            return rows if rows is None else assign([file.name for file in files], self.own, rows, table.key)
        if self.labels == "none":
            return None
        depth = len(top)
        loose = [file.name for file in files if len(file.parts) <= depth + 1]
        classes = in_order(file.parts[depth] for file in files if len(file.parts) > depth + 1)
        if loose and self.labels == "folders":
            told = without_label(len(loose), len(files), loose)
            raise ConfigError(
                f"dataset.labels=folders: not every image in {self.path} lies in a class folder: {told}; move those "
                "into one, or away"
            )
        if len(classes) < (2 if loose else 1):
            return None
        index = {name: number for number, name in enumerate(classes)}
        return classes, [index[file.parts[depth]] if len(file.parts) > depth + 1 else None for file in files]

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return None if self._attributed is not None or self._labelled is None else self._labelled[0]

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return None if self._attributed is None else self._attributed[0]

    @cached_property
    def channels(self) -> int:
        """1 if every image is gray (as `decode` has it), else 3; from the headers, up to the first in colour."""
        archive = open_archive(self.path, self.key)
        try:
            return 3 if any(_is_gray(archive, file) is False for file in self._listing.files) else 1
        finally:
            archive.close()

    @property
    def identity(self) -> str:
        """The absolute path, the split, a digest of every name, size and time (of a zip: its own), and the labels."""
        if self.path.is_file():
            status = self.path.stat()
            stamps = f"{status.st_size} {status.st_mtime_ns}"
            _, top, split, _ = self._listing
            if split is not None and (not top or top[-1].lower() not in aliases(split)):
                stamps += f"\0{'/'.join(top)}"  # as versions before 0.6 did not have it
        else:
            stamps = "\n".join(f"{file.name}\0{file.stamp}" for file in self._listing.files)
        if self.labels is not None:
            stamps += f"\0{self.labels}"
        if self.wanted is not None:
            stamps += f"\0{list(self.wanted)}"
        if self.labels is not None or not self.path.is_file():
            stamps += "" if self._table is None else f"\0{self._table.digest}"
        digest = hashlib.sha256(stamps.encode(errors="surrogateescape")).hexdigest()[:16]
        return f"folder:{self.path.joinpath(*self.inside)}:{self.split}:{digest}"

    def __len__(self) -> int:
        return len(self._listing.files)

    @property
    def files(self) -> list[File]:
        """The images that are meant, in order."""
        return self._listing.files

    @property
    def depth(self) -> int:
        """How many folders lie above all of them."""
        return len(self._listing.top)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Callable[[File], Image.Image]]:
        """What reads a file as an image in here; it raises ImageError where that is none."""
        archive = open_archive(self.path, self.key)
        try:
            yield lambda file: decode(archive.read(file))
        finally:
            archive.close()

    def __iter__(self) -> Iterator[Sample]:
        labels = self.label_of_each
        unreadable = Unreadable(f"{self.key}={self.path}", len(labels), self.max_corrupt)
        with self.opened() as read:
            for file, label in zip(self.files, labels, strict=True):
                try:
                    image = read(file)
                except ImageError as error:
                    unreadable.add(file.name, error)
                    continue
                yield file.name, image, label
        unreadable.conclude()

    @property
    def label_of_each(self) -> Sequence[Label | None]:
        """That of each of the files."""
        if self._attributed is not None:
            return self._attributed[1]
        return self._labelled[1] if self._labelled else [None] * len(self.files)

    def describe(self) -> str:
        _, top, split, _ = self._listing
        where = f"{kind_of(self.path)} {self.path.joinpath(*self.inside)}"
        below = "/".join(top[len(self.inside) :])
        return where + (
            f", {below}/ as its {split} split" if split and below else f", its {split} split" if split else ""
        )


def _suffix(file: File) -> str:
    return Path(file.parts[-1]).suffix.lower()


def _is_gray(archive: Archive, file: File) -> bool | None:
    try:
        with archive.open(file) as stream:
            return is_gray(stream)
    except ImageError:
        return None
