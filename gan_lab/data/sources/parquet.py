"""Images in Parquet files, as data sets are shared today."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

from gan_lab.data.sources import kinds, naming
from gan_lab.data.sources.archive import is_hidden
from gan_lab.data.sources.attributes import check_attributes, chosen, of_columns, refuse_labels
from gan_lab.data.sources.layouts import SPLITS
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.paths import absolute, shell
from gan_lab.data.sources.rows import IMAGE_COLUMNS, LABEL_COLUMNS, Rows, check_labels_column
from gan_lab.data.sources.source import Label
from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra

BATCH = 256


class Parquet(Rows):
    """One Parquet file, or all in a folder by name; where their names or folders tell splits apart, those of `split`.

    `image` is a column of encoded images, bytes or structs with a field `bytes`; `labels` one of whole numbers or words
    (`none`: leave it out). Left open, they are looked for by name. The classes are the names that Hugging Face notes in
    the file, else the distinct labels, sorted. `attributes` are columns of 0 and 1 (or -1 and 1), in place of labels.
    Raises ConfigError for what is missing or ambiguous.
    """

    def __init__(
        self,
        path: str | Path,
        split: str = "train",
        key: str = "dataset.path",
        image: str | None = None,
        labels: str | None = None,
        max_corrupt: int = 0,
        attributes: Sequence[str] | None = None,
    ) -> None:
        check_attributes(attributes)
        if attributes is not None:
            refuse_labels(labels, "dataset.labels")
        self.wanted = attributes
        self.path = absolute(path, key)
        self.split = split
        self.key = key
        self.image = image
        self.labels = labels
        self.max_corrupt = max_corrupt

    @property
    def identity(self) -> str:
        """The absolute path, the options, and every file's size and time."""
        stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in self._files]
        options: list[Any] = [self.split, self.image, self.labels, self.max_corrupt, stamps]
        options += [] if self.wanted is None else [list(self.wanted)]
        return f"parquet:{self.path}:{hashlib.sha256(repr(options).encode()).hexdigest()[:16]}"

    def describe(self) -> str:
        return f"parquet {self.path}" + (f", {len(self._files)} files" if self.path.is_dir() else "")

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return (self._labelled.classes or None) if self._labelled else None

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return None if self.wanted is None else [str(name) for name in self.wanted]

    def __len__(self) -> int:
        return sum(int(self._open(file).metadata.num_rows) for file in self._files)

    def rows(self) -> Iterator[tuple[Any, Label | None]]:
        cells = (cell for [column] in self._read([self._columns[0]]) for cell in column)
        labels: Iterable[Label | None] = repeat(None) if self._labelled is None else self._labelled.of_each
        return zip(cells, labels if self.wanted is None else self._attributed, strict=False)

    @cached_property
    def _attributed(self) -> list[tuple[int, ...]]:
        """Which attributes each image has."""
        names = chosen(self.wanted or (), self._open(self._files[0]).schema_arrow.names, str(self.path))
        columns: list[list[Any]] = [[] for _ in names]
        for batch in self._read(names):
            for column, cells in zip(columns, batch, strict=True):
                column += cells
        return of_columns(names, columns, str(self.path))

    @cached_property
    def _files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        files = [file for file in sorted(self.path.rglob("*")) if file.is_file() and not self._is_hidden(file)]
        found = [file for file in files if kinds.suffix(file) == ".parquet"]
        if not found:
            other = kinds.told_of_files(self.path, [str(file.relative_to(self.path)) for file in files])
            if other is None and any(kinds.suffix(file) in kinds.PICTURES for file in files):
                other = f"pictures: dataset=folder dataset.path={shell(self.path)}"
            raise ConfigError(f"{self.key}: no .parquet files in {self.path}" + (f", but {other}" if other else ""))
        splits = {file: _split_of(file.relative_to(self.path)) for file in found}
        told = {split for split in splits.values() if split}
        if not told:
            return found
        wanted = next((split for split, words in SPLITS.items() if self.split.lower() in words), self.split)
        if wanted not in told:
            raise ConfigError(f"dataset.split={self.split}: {self.path} has {', '.join(sorted(told))}")
        return [file for file in found if splits[file] == wanted]

    def _is_hidden(self, file: Path) -> bool:
        return any(is_hidden(part) for part in file.relative_to(self.path).parts)

    @cached_property
    def _columns(self) -> tuple[str, str | None]:
        schema = self._open(self._files[0]).schema_arrow
        image = self._column(schema.names, self.image, IMAGE_COLUMNS, "dataset.reader.image")
        if image is None:
            raise ConfigError(
                f"{self.key}: {self.path}: none of its columns ({listed(schema.names)}) is called "
                f"{', '.join(IMAGE_COLUMNS)}; say dataset.reader.image=NAME"
            )
        kind = str(schema.field(image).type)
        if not re.match(r"(large_)?binary|struct<.*\bbytes: (large_)?binary", kind):
            raise ConfigError(f"{self.key}: {self.path}: column {image} is {kind}, not images as bytes")
        if self.labels == naming.NO_LABELS or self.wanted is not None:
            return image, None
        check_labels_column(self.labels, image, "dataset.labels")
        return image, self._column(schema.names, self.labels, LABEL_COLUMNS, "dataset.labels")

    def _column(self, names: Sequence[str], given: str | None, usual: Sequence[str], key: str) -> str | None:
        if given is not None:
            if given not in names:
                raise ConfigError(f"{key}={given}: {self.path} has {listed(names)}")
            return given
        found = [name for word in usual for name in names if name.lower() == word]
        if len(found) > 1:
            raise ConfigError(f"{self.key}: {self.path} has {' and '.join(found)}; say {key}=NAME")
        return found[0] if found else None

    @cached_property
    def _noted(self) -> list[str] | None:
        """The names of the classes that Hugging Face's `datasets` leaves in the file."""
        metadata = self._open(self._files[0]).schema_arrow.metadata or {}
        try:
            found = json.loads(metadata[b"huggingface"])["info"]["features"][self._columns[1]]["names"]
        except (KeyError, TypeError, ValueError):
            return None
        return [str(name) for name in found] if isinstance(found, list) and found else None

    @cached_property
    def _labelled(self) -> naming.Labelled | None:
        label = self._columns[1]
        if label is None:
            return None
        column = naming.Column(f"{self.key}: {self.path}, {label}", wanted=self.labels is not None)
        return column.read((value for [cells] in self._read([label]) for value in cells), self._noted)

    def _read(self, columns: list[str]) -> Iterator[list[list[Any]]]:
        """The cells of `columns`, a batch of rows at a time."""
        for file in self._files:
            opened = self._open(file)
            missing = [name for name in columns if name not in opened.schema_arrow.names]
            if missing:
                raise ConfigError(f"{self.key}: {file} has no column {missing[0]}")
            for batch in opened.iter_batches(BATCH, columns=columns):
                yield [batch.column(name).to_pylist() for name in columns]

    def _open(self, file: Path) -> Any:
        parquet = import_extra("pyarrow.parquet", "parquet")
        try:
            return parquet.ParquetFile(file)
        except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
            told = None if kinds.suffix(file) == ".parquet" else kinds.told(file)
            reason = f"but is {told}" if told else f"({str(error).splitlines()[0]})"
            raise ConfigError(f"{self.key}: {file} cannot be read as Parquet {reason}") from error


def _split_of(file: Path) -> str | None:
    """`train-00000-of-00002.parquet` and `train/0.parquet` are of the split train."""
    words = [re.split(r"[-_.]", file.name.lower())[0], *(part.lower() for part in file.parts[:-1])]
    return next((split for word in words for split, aliases in SPLITS.items() if word in aliases), None)
