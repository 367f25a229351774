"""Tables that say something about images: csv, tsv, json or jsonl, with a column that names the file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from gan_lab.command_line.printable import printable
from gan_lab.data.sources.differences import tell_difference
from gan_lab.data.sources.kinds import PICTURES, TABLES
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

FILE_KEYS = tuple("file file_name filename file_path filepath path image image_path image_name image_id img".split())
ROW_KEYS = ("id",)  # of rows rather than files, where another column holds names of pictures

log = logging.getLogger(__name__)

Record = dict[str, Any]
Row = tuple[Any, Any]  # what names the file, and what is said of it


class Said(NamedTuple):
    """What a table says of a file: one `word` for it, its plural, the names that its column may have, and the setting
    that names another (`setting=FILE:COLUMN`). `whole`: it is no column but all of them, by their names."""

    word: str
    plural: str
    keys: tuple[str, ...]
    setting: str
    whole: bool = False


class Table(NamedTuple):
    """A file that says something of images: what the user calls it, its name, its contents, and which column counts
    (None: the one with a usual name)."""

    key: str
    name: str
    data: bytes
    column: str | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def split_column(text: str) -> tuple[str, str | None]:
    """The file and the column that `FILE:COLUMN` names; None for the column of a plain `FILE`."""
    endings = "|".join(re.escape(ending) for ending in TABLES)
    found = re.fullmatch(rf"(.+(?:{endings})):(.+)", text, re.IGNORECASE)
    return (found[1], found[2]) if found else (text, None)


def read_rows(table: Table, said: Said) -> list[Row] | None:
    """The rows of the table; None where it says that there are none.

    `.csv` and `.tsv` have a header; of its columns the first of FILE_KEYS (else the only one that holds names of
    pictures) and the first of `said.keys` count, in whatever case (csv may be separated by `,`, `;` or tabs). `.jsonl`
    has an object with such keys on each line. `.json` is a list of such objects, or a mapping `{file: value}` or
    `{file: object}`, or any of these, or `[[file, value], ...]` or null, under a key that is the plural. Raises
    ConfigError, which begins with the table's key, for another file, for one that does not parse and for no such
    column.
    """
    key, suffix = table.key, PurePosixPath(table.name.replace("\\", "/")).suffix.lower()
    if suffix not in TABLES:
        raise ConfigError(f"{key}: a table of {said.plural} is one of {' '.join(TABLES)}")
    try:
        text = table.data.decode("utf-8-sig")
        return _json_rows(text, table, said) if suffix == ".json" else _rows(text, suffix, table, said)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{key}: is not UTF-8 ({error.reason} at byte {error.start})") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise ConfigError(f"{key}: does not parse ({str(error).splitlines()[0]})") from error


def speaks_of(said: Said, data: bytes) -> bool:
    """Whether a json that nobody asked for is such a table, or broken, so that nobody knows."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return True
    return _has(said, tree)


def file_of(value: Any) -> str:
    """The name of a file as a table gives it, without what says nothing; empty where there is none."""
    return "" if value is None else "/".join(_parts(str(value).strip()))


def match(images: Sequence[str], own: str, rows: Collection[str], key: str, said: Said) -> list[str]:
    """The row of each of `images` (paths below the folder `own`).

    A row fits an image if it is the end of its path: `faces/1.png`, `1.png`, or without the suffix `1`; the longest
    that is there counts. Rows that fit no image are counted in a warning, as a table often serves several splits.
    Raises ConfigError, which begins with `key`, for images without a row and for a row that fits several images.
    """
    found: dict[str, str] = {}
    missing, chosen = [], []
    for image in images:
        row = next((name for name in _names(own, image) if name in rows), None)
        if row is None:
            missing.append(image)
            continue
        other = found.setdefault(row, image)
        if other != image:
            raise ConfigError(
                f"{key}: {printable(row)} fits {printable(other)} as well as {printable(image)}; "
                "write their folders into the table"
            )
        chosen.append(row)
    if missing:
        fix = tell_difference([[*_names(own, image)] for image in missing], rows)
        raise ConfigError(
            f"{key}: {len(missing)} of {len(images)} images have no {said.word} ({listed(missing)}; the table names "
            f"{listed(list(rows), 2) or 'nothing'}); {fix or 'add them, or take those images away'}"
        )
    unused = [name for name in rows if name not in found]
    if unused:
        log.warning("%s: %d of %d rows fit no image (%s)", key, len(unused), len(rows), listed(unused, 3))
    return chosen


def _names(own: str, image: str) -> Iterator[str]:
    """What a table may call `image`, the fullest first."""
    parts = [part for part in f"{own}/{image}".replace("\\", "/").split("/") if part]
    stem = PurePosixPath(parts[-1]).stem
    for start in range(len(parts)):
        yield "/".join(parts[start:])
        yield "/".join([*parts[start:-1], stem])


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def _rows(text: str, suffix: str, table: Table, said: Said) -> list[Row]:
    """The rows of a csv, tsv or jsonl."""
    if suffix == ".jsonl":
        return _objects([_parsed(line) for line in text.splitlines() if line.strip()], table, said)
    lines = io.StringIO(text, newline="")
    header = text.lstrip().splitlines()[0] if text.strip() else ""
    separator = "\t" if suffix == ".tsv" else max(",;\t", key=header.count)
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    records = list(reader)
    return _records(records, reader.fieldnames or (), table, said)


def _json_rows(text: str, table: Table, said: Said) -> list[Row] | None:
    tree = _parsed(text)
    if _has(said, tree):
        tree = tree[said.plural]
    if tree is None:
        return None
    if isinstance(tree, dict):
        if tree and all(isinstance(value, dict) and value for value in tree.values()):
            return _objects([{**value, FILE_KEYS[0]: name} for name, value in tree.items()], table, said)
        return list(tree.items())
    if not isinstance(tree, list):
        raise ConfigError(f"{table.key}: holds neither a list of images nor {{file: {said.word}}}")
    if tree and all(isinstance(pair, list) for pair in tree):
        if any(len(pair) != 2 for pair in tree):
            raise ConfigError(f"{table.key}: its pairs must be [file, {said.word}]")
        return [(file, value) for file, value in tree]
    return _objects(tree, table, said)


def _has(said: Said, tree: Any) -> bool:
    return isinstance(tree, dict) and isinstance(tree.get(said.plural, 0), (list, dict, type(None)))


def _objects(rows: list[Any], table: Table, said: Said) -> list[Row]:
    if not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{table.key}: every row must be an object")
    return _records(rows, list(rows[0]) if rows else (), table, said)


def _records(records: Sequence[Record], columns: Sequence[str], table: Table, said: Said) -> list[Row]:
    """The file and the value of each record."""
    if not columns:
        raise ConfigError(f"{table.key}: holds no rows")
    file = _file_column(records, [column for column in columns if column != table.column], table)
    value = None if said.whole else _value_column(columns, table, said)
    if not records:
        raise ConfigError(f"{table.key}: holds no rows")
    if value is None:
        others = [column for column in columns if column != file]
        return [(record.get(file), {column: record.get(column) for column in others}) for record in records]
    return [(record.get(file), record.get(value)) for record in records]


def _value_column(columns: Sequence[str], table: Table, said: Said) -> str:
    """The one that was named, else the first that has one of the usual names."""
    there = listed([str(column) for column in columns])
    if table.column is not None:
        if table.column in columns:
            return table.column
        alike = [column for column in columns if plain(column) == plain(table.column)]
        if len(alike) != 1:
            raise ConfigError(f"{table.key}: has no column {table.column}; there are {there}")
        return alike[0]
    if (found := _named(columns, said.keys)) is not None:
        return found
    call = table.key if table.key.startswith(f"{said.setting}=") else f"{said.setting}={table.name}"
    raise ConfigError(
        f"{table.key}: no column holds the {said.word} ({', '.join(said.keys[:5])}, ...); there are {there}; "
        f"say which: {call}:COLUMN"
    )


def _file_column(records: Sequence[Record], columns: Sequence[str], table: Table) -> str:
    """The first that has one of the usual names, else the only one that holds names of pictures."""
    if (found := _named(columns, FILE_KEYS)) is not None:
        return found
    holding = [column for column in columns if _holds_pictures(record.get(column) for record in records)]
    if len(holding) == 1:
        return holding[0]
    if (found := _named(columns, ROW_KEYS)) is not None:
        return found
    raise ConfigError(
        f"{table.key}: no column names the file ({', '.join(FILE_KEYS[:5])}, ...); there are "
        f"{listed([str(column) for column in columns])}; call the one that does file"
    )


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    known = {plain(column): column for column in reversed(columns)}
    return next((known[name] for name in names if name in known), None)


def plain(name: Any) -> str:
    """A name of a column without what says nothing: `Image ID`, `image-id` and `image_id` are one."""
    return re.sub(r"[\W_]+", "_", str(name).lower()).strip("_")


def _holds_pictures(values: Iterable[Any]) -> bool:
    given = [str(value).partition("?")[0].strip().lower() for value in values if value]
    return bool(given) and all(PurePosixPath(value).suffix in PICTURES for value in given)


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_contradiction)


def _without_contradiction(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in pairs:
        if tree.setdefault(name, value) is not value and tree[name] != value:
            raise ValueError(f"{printable(name)} is there as {tree[name]!r:.40} as well as {value!r:.40}; leave one")
    return tree
