"""Labels as a file writes them, numbers or words, to labels of ours: indices into a list of classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gan_lab.errors import ConfigError

NO_LABELS = "none"  # what one says for the labels to leave them out


def index(values: Iterable[Any], key: str) -> dict[Any, int]:
    """Each distinct value and its index among the sorted ones; None, no label, is left out.

    Numbers are sorted as numbers; bytes count as text. Raises ConfigError, naming `key`, for values that are neither
    whole numbers nor text, or that are both.
    """
    distinct = {value for value in values if value is not None}
    kinds = {type(value) for value in distinct}
    if not (kinds <= {int, bool} or kinds in ({str}, {bytes})):
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ConfigError(f"{key}: labels are whole numbers or words, these are {shown}")
    return {value: place for place, value in enumerate(sorted(distinct))}


def names(indexed: dict[Any, int]) -> list[str] | None:
    """The classes of `index`, in order; None without any."""
    return [_text(value) for value in indexed] or None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
