"""Tables that say something about images: csv, tsv, json or jsonl, with a column that names the file."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from gan_lab.data.sources.listed import listed, printable
from gan_lab.errors import ConfigError

FILE_KEYS = tuple("file file_name filename file_path filepath path image image_path image_name image_id img id".split())
TABLES = (".csv", ".tsv", ".json", ".jsonl")

log = logging.getLogger(__name__)

Row = tuple[Any, Any]  # what names the file, and what is said of it


class Said(NamedTuple):
    """What a table says of a file: one `word` for it, its plural, and the names that its column may have."""

    word: str
    plural: str
    keys: tuple[str, ...]


def read_rows(name: str, data: bytes, key: str, said: Said) -> list[Row] | None:
    """The rows of the table `data`; None where it says that there are none.

    `.csv` and `.tsv` have a header; of its columns the first of FILE_KEYS and the first of `said.keys` count, in
    whatever case (csv may be separated by `,`, `;` or tabs). `.jsonl` has an object with such keys on each line.
    `.json` is a list of such objects, or a mapping `{file: value}`, or either of these, or `[[file, value], ...]` or
    null, under a key that is the plural. Raises ConfigError, which begins with `key`, for another file, for one that
    does not parse and for no such column.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix not in TABLES:
        raise ConfigError(f"{key}: a table of {said.plural} is one of {' '.join(TABLES)}")
    try:
        text = data.decode("utf-8-sig")
        return _json_rows(text, key, said) if suffix == ".json" else _rows(text, suffix, key, said)
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
        raise ConfigError(
            f"{key}: {len(missing)} of {len(images)} images have no {said.word} ({listed(missing)}; "
            f"the table names {listed(list(rows), 2) or 'nothing'}); add them, or take those images away"
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


def _rows(text: str, suffix: str, key: str, said: Said) -> list[Row]:
    """The rows of a csv, tsv or jsonl."""
    if suffix == ".jsonl":
        return _objects([_parsed(line) for line in text.splitlines() if line.strip()], key, said)
    lines = io.StringIO(text, newline="")
    header = text.lstrip().splitlines()[0] if text.strip() else ""
    separator = "\t" if suffix == ".tsv" else max(",;\t", key=header.count)
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    records = list(reader)
    return _records(records, reader.fieldnames or (), key, said)


def _json_rows(text: str, key: str, said: Said) -> list[Row] | None:
    tree = _parsed(text)
    if _has(said, tree):
        tree = tree[said.plural]
    if tree is None:
        return None
    if isinstance(tree, dict):
        return list(tree.items())
    if not isinstance(tree, list):
        raise ConfigError(f"{key}: holds neither a list of images nor {{file: {said.word}}}")
    if tree and all(isinstance(pair, list) for pair in tree):
        if any(len(pair) != 2 for pair in tree):
            raise ConfigError(f"{key}: its pairs must be [file, {said.word}]")
        return [(file, value) for file, value in tree]
    return _objects(tree, key, said)


def _has(said: Said, tree: Any) -> bool:
    return isinstance(tree, dict) and isinstance(tree.get(said.plural, 0), (list, dict, type(None)))


def _objects(rows: list[Any], key: str, said: Said) -> list[Row]:
    if not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{key}: every row must be an object")
    return _records(rows, list(rows[0]) if rows else (), key, said)


def _records(records: Sequence[dict[str, Any]], columns: Sequence[str], key: str, said: Said) -> list[Row]:
    """The file and the value of each record, by those of the `columns` that FILE_KEYS and `said.keys` name first."""
    if not columns:
        raise ConfigError(f"{key}: holds no rows")
    named = {str(column).strip().lower(): column for column in reversed(columns)}
    chosen = []
    for what, keys in (("names the file", FILE_KEYS), (f"holds the {said.word}", said.keys)):
        found = next((named[name] for name in keys if name in named), None)
        if found is None:
            there = listed([str(column) for column in columns])
            raise ConfigError(f"{key}: no column {what} ({', '.join(keys[:5])}, ...); there are {there}")
        chosen.append(found)
    if not records:
        raise ConfigError(f"{key}: holds no rows")
    file, value = chosen
    return [(record.get(file), record.get(value)) for record in records]


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_contradiction)


def _without_contradiction(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in pairs:
        if tree.setdefault(name, value) != value:
            raise ValueError(f"{printable(name)} is there as {tree[name]!r:.40} as well as {value!r:.40}; leave one")
    return tree
