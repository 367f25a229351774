"""Pictures with what is said of them: a folder or zip, and a table of captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from gan_lab.command_line.printable import printable
from gan_lab.data.sources import tables
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.kinds import TABLES
from gan_lab.data.sources.source import Example
from gan_lab.errors import ConfigError

KEYS = tuple("captions caption text texts description sentence sentences title comment".split())
CAPTION = tables.Said("caption", "captions", KEYS, "dataset.captions")
FOUND_BY_ITSELF = tuple(f"{name}{suffix}" for name in ("captions", "metadata") for suffix in TABLES)


class Captioned(Folder):
    """Images in a folder or zip (see `Folder`) and one or more captions of each.

    `captions` is a table (`gan_lab.data.sources.tables`), named by its path inside the folder or zip or by one of its
    own, and perhaps the column (`FILE:COLUMN`); without it a `captions` or `metadata` of those kinds that lies with the
    images or above. A row holds a caption or a list of them; several rows of one file are several captions. Raises
    ConfigError for a table that is not there or cannot be read, and for images that it says nothing of.
    """

    def __init__(
        self,
        path: str | Path | None,
        split: str = "train",
        key: str = "dataset.path",
        labels: str | None = None,
        max_corrupt: int = 0,
        captions: str | None = None,
        attributes: Sequence[str] | None = None,
    ) -> None:
        if path is None:
            raise ConfigError("dataset.path: say where the images are: dataset=captioned dataset.path=FOLDER_OR_ZIP")
        super().__init__(path, split, key, labels, max_corrupt, attributes)
        self.captions = captions

    @cached_property
    def _captions_table(self) -> tables.Table:
        if self.captions is not None:
            return self.named_table(str(self.captions), "dataset.captions")
        for name in FOUND_BY_ITSELF:
            if (found := self.found_table(name, "dataset.captions", "dataset.captions=FILE names another")) is not None:
                return found
        raise ConfigError(
            f"dataset.captions: no captions.jsonl, captions.csv, ... in {self.path}; say which table holds them"
        )

    @cached_property
    def said(self) -> list[list[str]]:
        """The captions of each of the files."""
        table = self._captions_table
        rows = read_captions(table)
        return [
            rows[row] for row in tables.match([file.name for file in self.files], self.own, rows, table.key, CAPTION)
        ]

    @property
    def identity(self) -> str:
        table = self._captions_table
        return f"{super().identity}:{table.digest}" + ("" if table.column is None else f":{table.column}")

    def describe(self) -> str:
        return f"{super().describe()}, captions of {self._captions_table.name}"

    def examples(self) -> Iterator[Example]:
        said = dict(zip((file.name for file in self.files), self.said, strict=True))
        return (Example(name, image, label, captions=said[name]) for name, image, label in self)


def read_captions(table: tables.Table) -> dict[str, list[str]]:
    """Every caption of each file that a table names. Raises ConfigError for what is no text."""
    found: dict[str, list[str]] = {}
    for file, value in tables.read_rows(table, CAPTION) or []:
        name = tables.file_of(file)
        captions = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(caption, str) for caption in captions):
            raise ConfigError(f"{table.key}: a caption of {printable(name)} is no text")
        if name:
            found.setdefault(name, []).extend(caption.strip() for caption in captions if caption.strip())
    return found
