"""The card of a store: which columns there are, each with its dtype and shape, and what they were made of."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

VERSION, NAMED_COLUMNS = 1, 2
IMAGES, POINTS, LABELS, CARD = "images.u8", "images.f32", "labels.i64", "card.json"
STORED: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype(np.uint8),
    "float32": np.dtype("<f4"),
    "int64": np.dtype("<i8"),
}
SUFFIXES = {"uint8": "u8", "float32": "f32", "int64": "i64"}
COLUMNS = {  # the dtypes and the numbers of dimensions that each may have, in the order of checksums
    "image": (("uint8", "float32"), (3,)),
    "label": (("int64",), (0, 1)),
    "input": (("uint8", "float32"), (3,)),
    "caption": (("int64",), (2,)),
}


class Column(NamedTuple):
    """What one sample has in a column."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Of one sample."""
        return math.prod(self.shape) * STORED[self.dtype].itemsize

    def file(self, name: str) -> str:
        """The file that holds the column of this name."""
        return f"{name}s.{SUFFIXES[self.dtype]}"


def columns_of(card: Mapping[str, Any]) -> dict[str, Column]:
    """The columns of a card, in the order of COLUMNS."""
    if card["version"] == NAMED_COLUMNS:
        listed = card["columns"]
        return {name: Column(listed[name]["dtype"], tuple(listed[name]["shape"])) for name in COLUMNS if name in listed}
    columns = {"image": Column(card.get("dtype", "uint8"), tuple(card["shape"]))}
    return columns if card["classes"] is None else columns | {"label": Column("int64", ())}


def is_card(card: Mapping[str, Any]) -> bool:
    """Whether a card of a known version holds what it should."""
    count, classes = card.get("count"), card.get("classes")
    return (
        _is_column("image", {"dtype": card.get("dtype", "uint8"), "shape": card.get("shape")})
        and type(count) is int
        and 0 < count <= sys.maxsize
        and (classes is None or _are_words(classes))
        and all(isinstance(card.get(key), str) for key in ("name", "source", "origin", "fit", "sha256"))
        and (card["version"] == VERSION or _has_columns(card))
    )


def _has_columns(card: Mapping[str, Any]) -> bool:
    """Whether the columns that a card lists are those that the rest of it speaks of."""
    columns = card.get("columns")
    return (
        isinstance(columns, dict)
        and all(name in COLUMNS and _is_column(name, column) for name, column in columns.items())
        and columns.get("image") == {"dtype": card.get("dtype", "uint8"), "shape": card["shape"]}
        and _are_labels(columns.get("label"), card.get("classes"), card.get("attributes"))
        and ("caption" not in columns or _are_words(card.get("words")))
    )


def _is_column(name: str, column: Any) -> bool:
    dtypes, dimensions = COLUMNS[name]
    if not isinstance(column, dict) or column.get("dtype") not in dtypes:
        return False
    shape = column.get("shape")
    if not isinstance(shape, list) or len(shape) not in dimensions:
        return False
    return all(type(side) is int and side > 0 for side in shape)


def _are_labels(column: Any, classes: Any, attributes: Any) -> bool:
    """Whether a column of labels is there for classes, or as wide as there are attributes, and else is not."""
    if attributes is None:
        return column is None if classes is None else column is not None and column["shape"] == []
    return classes is None and _are_words(attributes) and column is not None and column["shape"] == [len(attributes)]


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
