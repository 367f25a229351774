"""Attributes from a table that says of every image which of them it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gan_lab.command_line.nearest import nearest
from gan_lab.command_line.printable import printable
from gan_lab.data.sources import tables
from gan_lab.data.sources.labels import KEYS, LABEL
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError, GanLabError

ATTRIBUTES = tables.Said("attributes", "attributes", (), "dataset.labels", whole=True)
PRESENT = {"1": 1, "1.0": 1, "true": 1, "0": 0, "0.0": 0, "false": 0, "-1": 0, "-1.0": 0}

Attributes = dict[str, tuple[int, ...]]  # of each file, 1 for those that it has


def is_table_of_attributes(table: tables.Table) -> bool:
    """Whether a table for which no column was named says of every image which attributes it has: it has no column of
    labels, and beside that of the file several, which hold 0 and 1, or -1 and 1."""
    if table.column is not None or (table.name.lower().endswith(".json") and tables.speaks_of(LABEL, table.data)):
        return False
    try:
        rows = tables.read_rows(table, ATTRIBUTES) or []
    except GanLabError:
        return False  # the reader of labels will say what is wrong with it
    says = [said for _, said in rows]
    if not says or not all(isinstance(said, dict) and len(said) > 1 for said in says):
        return False
    named = any(tables.plain(name) in KEYS for name in says[0])
    return not named and all(_present(value) is not None for said in says for value in said.values())


def read_attributes(table: tables.Table, wanted: Sequence[str] | None) -> tuple[list[str], Attributes]:
    """The names of the attributes that are `wanted` (None: of all, in the order of the table), and which of them every
    file has. Raises ConfigError, which begins with the table's key, for a name that is no column, for a value that is
    none of 0, 1, -1, true and false, and for rows that disagree about a file."""
    rows = [(tables.file_of(file), said) for file, said in tables.read_rows(table, ATTRIBUTES) or []]
    columns = [str(name) for name in rows[0][1]] if rows else []
    names = columns if wanted is None else chosen(wanted, columns, table.name)
    found: Attributes = {}
    for file, said in rows:
        if not file:
            continue
        values = []
        for name in names:
            value = _present(said.get(name))
            if value is None:
                shown = printable(str(said.get(name)))
                raise ConfigError(
                    f"{table.key}: {printable(file)} has {shown!r} in {printable(name)}; attributes are 0 and 1, or -1 "
                    "and 1 (dataset.attributes=[...] chooses columns)"
                )
            values.append(value)
        if found.setdefault(file, tuple(values)) != tuple(values):
            raise ConfigError(f"{table.key}: {printable(file)} is there twice, with other attributes; leave one row")
    return names, found


def chosen(wanted: Sequence[str], columns: Sequence[str], where: str) -> list[str]:
    """The names of those that are wanted. Raises ConfigError for one that is no column of `where`."""
    names = [str(name) for name in wanted]
    for name in names:
        if name not in columns:
            key = f"dataset.attributes={listed(names)}"
            raise ConfigError(
                f"{key}: {where} has no column {printable(name)} ({listed(list(columns))}){nearest(name, columns)}"
            )
    return names


def of_columns(names: Sequence[str], columns: Iterable[Sequence[Any]], where: str) -> list[tuple[int, ...]]:
    """The attributes of each image, out of a column of each attribute. Raises ConfigError for columns of other lengths
    than the first, and for a value that is none of 0, 1, -1, true and false."""
    key, found = f"dataset.attributes={listed(list(names))}", list[list[int]]()
    for name, values in zip(names, columns, strict=True):
        present = [_present(value) for value in values]
        if None in present:
            place = present.index(None)
            raise ConfigError(
                f"{key}: row {place} of {where} has {printable(str(values[place]))!r} in {printable(name)}; attributes "
                "are 0 and 1, or -1 and 1"
            )
        if found and len(present) != len(found[0]):
            raise ConfigError(
                f"{key}: {where} has {len(found[0])} rows of {names[0]} and {len(present)} of {printable(name)}"
            )
        found.append([value for value in present if value is not None])
    return list(zip(*found, strict=True))


def refuse_labels(labels: str | None, key: str) -> None:
    """Raise ConfigError where labels are asked for, too."""
    if labels not in (None, "none"):
        raise ConfigError(
            f"{key}={labels}: attributes take the place of labels; leave it out, or dataset.attributes=null"
        )


def assign_attributes(images: Sequence[str], own: str, table: Attributes, key: str) -> list[tuple[int, ...]]:
    """Those of each of `images` (paths below the folder `own`). Raises as `tables.match` does."""
    return [table[row] for row in tables.match(images, own, table, key, ATTRIBUTES)]


def check_attributes(wanted: Any) -> None:
    """Raise ConfigError for what is no list of names."""
    if wanted is None:
        return
    if not isinstance(wanted, list) or not wanted or not all(isinstance(name, (str, int)) for name in wanted):
        raise ConfigError(f"dataset.attributes={wanted}: a list of columns, e.g. dataset.attributes=[Smiling,Male]")
    if len(set(map(str, wanted))) < len(wanted):
        raise ConfigError(f"dataset.attributes={wanted}: names one twice")


def _present(value: Any) -> int | None:
    """1 or 0; None for what says neither."""
    return PRESENT.get(str(value).strip().lower())
