"""Labels from a table that says which image is of which class."""

from __future__ import annotations

from collections.abc import Sequence

from gan_lab.command_line.printable import printable
from gan_lab.data.sources import naming, tables
from gan_lab.errors import ConfigError

KEYS = tuple("label class category target label_name class_name category_name label_id class_id category_id".split())
LABEL = tables.Said("label", "labels", KEYS, "dataset.labels")
FOUND_BY_ITSELF = "dataset.json"


def read_table(table: tables.Table) -> dict[str, str] | None:
    """The label of every file that the table names; None where it says that there are no labels.

    See `gan_lab.data.sources.tables` for what a table may be (`dataset.json` is what the StyleGAN tools write). Labels
    are whole numbers or names; a row with an empty one counts as absent. Raises ConfigError, which begins with the
    table's key, for what is no table and for rows that disagree about a file.
    """
    rows = tables.read_rows(table, LABEL)
    return None if rows is None else _agreed(rows, table.key)


def speaks_of_labels(data: bytes) -> bool:
    """Whether a `dataset.json` that nobody asked for is one of labels, or broken, so that nobody knows."""
    return tables.speaks_of(LABEL, data)


def assign(images: Sequence[str], own: str, table: dict[str, str], key: str) -> tuple[list[str], list[int]]:
    """The classes that occur, in order, and the class of each of `images` (paths below the folder `own`).

    Classes are sorted by name, or by number if all are whole numbers. Raises ConfigError, which begins with `key`, for
    images without a row and for a row that fits several images (see `tables.match`).
    """
    labels = [table[row] for row in tables.match(images, own, table, key, LABEL)]
    classes = naming.in_order(labels)
    index = {name: number for number, name in enumerate(classes)}
    return classes, [index[label] for label in labels]


def _agreed(rows: list[tables.Row], key: str) -> dict[str, str]:
    """`{file: label}` with both as text. Raises ConfigError for two labels of one file and for what is no label."""
    table: dict[str, str] = {}
    for file, value in rows:
        label = naming.spell(value)
        if label is None:
            raise ConfigError(f"{key}: the label of {printable(str(file))} is neither a whole number nor a name")
        name = tables.file_of(file)
        if not label or not name:
            continue
        if table.setdefault(name, label) != label:
            shown = f"{printable(table[name])} as well as {printable(label)}"
            raise ConfigError(f"{key}: {printable(name)} is there as {shown}; leave one row")
    current = naming.whole(table.values())
    if current is None:
        raise ConfigError(f"{key}: its labels are numbers that are not whole, and no classes; name another column")
    return {name: current[label] for name, label in table.items()}
