"""Labels from a table that says which image is of which class: csv, tsv, json or jsonl."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from gan_lab.data.sources.listed import listed, printable
from gan_lab.errors import ConfigError

FILE_KEYS = tuple("file file_name filename file_path filepath path image image_path image_name image_id img id".split())
LABEL_KEYS = tuple(
    "label class category target label_name class_name category_name label_id class_id category_id".split()
)
TABLES = (".csv", ".tsv", ".json", ".jsonl")
FOUND_BY_ITSELF = "dataset.json"

log = logging.getLogger(__name__)

Row = tuple[Any, Any]


def read_table(name: str, data: bytes, key: str) -> dict[str, str] | None:
    """The label of every file that the table `data` names; None where it says that there are no labels.

    `.csv` and `.tsv` have a header; of its columns the first of FILE_KEYS and the first of LABEL_KEYS count, in
    whatever case (csv may be separated by `,`, `;` or tabs). `.jsonl` has an object with such keys on each line.
    `.json` is a list of such objects, or a mapping `{file: label}`, or either of these, or `[[file, label], ...]` or
    null, under the key `labels` (null and the pairs are what the StyleGAN tools write as `dataset.json`). Labels are
    whole numbers or names; a row with an empty one counts as absent. Raises ConfigError, which begins with `key`, for
    another file, for one that does not parse, for no such column and for rows that disagree about a file.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix not in TABLES:
        raise ConfigError(f"{key}: a table of labels is one of {' '.join(TABLES)}")
    try:
        text = data.decode("utf-8-sig")
        rows = _json_rows(text, key) if suffix == ".json" else _rows(text, suffix, key)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{key}: is not UTF-8 ({error.reason} at byte {error.start})") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise ConfigError(f"{key}: does not parse ({str(error).splitlines()[0]})") from error
    return None if rows is None else _agreed(rows, key)


def speaks_of_labels(data: bytes) -> bool:
    """Whether a `dataset.json` that nobody asked for is one of labels, or broken, so that nobody knows."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return True
    return _has_labels(tree)


def assign(images: Sequence[str], own: str, table: dict[str, str], key: str) -> tuple[list[str], list[int]]:
    """The classes that occur, in order, and the class of each of `images` (paths below the folder `own`).

    A row fits an image if it is the end of its path: `faces/1.png`, `1.png`, or without the suffix `1`; the longest
    that is there counts. Classes are sorted by name, or by number if all are whole numbers. Rows that fit no image are
    counted in a warning, as a table often serves several splits. Raises ConfigError, which begins with `key`, for
    images without a row and for a row that fits several images.
    """
    found: dict[str, str] = {}
    missing, labels = [], []
    for image in images:
        row = next((name for name in _names(own, image) if name in table), None)
        if row is None:
            missing.append(image)
            continue
        other = found.setdefault(row, image)
        if other != image:
            raise ConfigError(
                f"{key}: {printable(row)} fits {printable(other)} as well as {printable(image)}; "
                "write their folders into the table"
            )
        labels.append(table[row])
    if missing:
        raise ConfigError(
            f"{key}: {len(missing)} of {len(images)} images have no label ({listed(missing)}; "
            f"the table names {listed(list(table), 2) or 'nothing'}); add them, or take those images away"
        )
    unused = [name for name in table if name not in found]
    if unused:
        log.warning("%s: %d of %d rows fit no image (%s)", key, len(unused), len(table), listed(unused, 3))
    classes = in_order(labels)
    index = {name: number for number, name in enumerate(classes)}
    return classes, [index[label] for label in labels]


def in_order(names: Iterable[str]) -> list[str]:
    """Each of the names once, sorted; by number if all are whole numbers."""
    once = sorted(set(names))
    return sorted(once, key=int) if all(name.removeprefix("-").isdecimal() for name in once) else once


def _names(own: str, image: str) -> Iterable[str]:
    """What a table may call `image`, the fullest first."""
    parts = [part for part in f"{own}/{image}".replace("\\", "/").split("/") if part]
    stem = PurePosixPath(parts[-1]).stem
    for start in range(len(parts)):
        yield "/".join(parts[start:])
        yield "/".join([*parts[start:-1], stem])


def _rows(text: str, suffix: str, key: str) -> list[Row]:
    """The rows of a csv, tsv or jsonl."""
    if suffix == ".jsonl":
        return _objects([_parsed(line) for line in text.splitlines() if line.strip()], key)
    lines = io.StringIO(text, newline="")
    header = text.lstrip().splitlines()[0] if text.strip() else ""
    separator = "\t" if suffix == ".tsv" else max(",;\t", key=header.count)
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    records = list(reader)
    return _records(records, reader.fieldnames or (), key)


def _json_rows(text: str, key: str) -> list[Row] | None:
    tree = _parsed(text)
    if _has_labels(tree):
        tree = tree["labels"]
    if tree is None:
        return None
    if isinstance(tree, dict):
        return list(tree.items())
    if not isinstance(tree, list):
        raise ConfigError(f"{key}: holds neither a list of images nor {{file: label}}")
    if tree and all(isinstance(pair, list) for pair in tree):
        if any(len(pair) != 2 for pair in tree):
            raise ConfigError(f"{key}: its pairs must be [file, label]")
        return [(file, label) for file, label in tree]
    return _objects(tree, key)


def _has_labels(tree: Any) -> bool:
    return isinstance(tree, dict) and isinstance(tree.get("labels", 0), (list, dict, type(None)))


def _objects(rows: list[Any], key: str) -> list[Row]:
    if not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{key}: every row must be an object")
    return _records(rows, list(rows[0]) if rows else (), key)


def _records(records: Sequence[dict[str, Any]], columns: Sequence[str], key: str) -> list[Row]:
    """The file and the label of each record, by those of the `columns` that FILE_KEYS and LABEL_KEYS name first."""
    if not columns:
        raise ConfigError(f"{key}: holds no rows")
    named = {str(column).strip().lower(): column for column in reversed(columns)}
    chosen = []
    for what, keys in (("names the file", FILE_KEYS), ("holds the label", LABEL_KEYS)):
        found = next((named[name] for name in keys if name in named), None)
        if found is None:
            there = listed([str(column) for column in columns])
            raise ConfigError(f"{key}: no column {what} ({', '.join(keys[:5])}, ...); there are {there}")
        chosen.append(found)
    if not records:
        raise ConfigError(f"{key}: holds no rows")
    file, label = chosen
    return [(record.get(file), record.get(label)) for record in records]


def _agreed(rows: list[Row], key: str) -> dict[str, str]:
    """`{file: label}` with both as text. Raises ConfigError for two labels of one file and for what is no label."""
    table: dict[str, str] = {}
    for file, value in rows:
        label = _label(value)
        if label is None:
            raise ConfigError(f"{key}: the label of {printable(str(file))} is neither a whole number nor a name")
        name = "/".join(part for part in str(file).strip().replace("\\", "/").split("/") if part not in ("", "."))
        if not label or file is None or not name:
            continue
        if table.setdefault(name, label) != label:
            shown = f"{printable(table[name])} as well as {printable(label)}"
            raise ConfigError(f"{key}: {printable(name)} is there as {shown}; leave one row")
    return table


def _label(value: Any) -> str | None:
    """A label as text, empty where there is none; None for what cannot be one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    return str(value).strip() if isinstance(value, (int, str)) else None


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_contradiction)


def _without_contradiction(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in pairs:
        if tree.setdefault(name, value) != value:
            raise ValueError(f"{printable(name)} is there as {tree[name]!r:.40} as well as {value!r:.40}; leave one")
    return tree
