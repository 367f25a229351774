"""A measured figure: what it is called, what it came to, and under which protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from gan_lab.errors import ConfigError

# What two figures must share to be comparable; the rest of a card (weights averaged or not, precision, seed, step) says
# how the images were made. `inputs` are on the cards of generators that are asked by samples of the data.
PROTOCOL = ("metric", "settings", "reference", "inputs", "n", "extractor", "resizer", "weights", "truncation")


class Value(NamedTuple):
    """What a measure found: `spread` is a standard error or deviation, None where it is not known."""

    name: str
    value: float
    spread: float | None = None
    lower_is_better: bool = True


class Figure(NamedTuple):
    """A value under its full name, with the card of its protocol: `fid/classifier-bilinear32-2000`.

    The name is the metric, then the extractor, its resizer and the number of generated images; only the published
    protocol's name is the bare metric's (see `gan_lab.metrics.evaluate.figure`). Truncated images are named behind it.
    """

    name: str
    value: float
    spread: float | None
    lower_is_better: bool
    card: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """For json: everything but the name."""
        return {
            "value": self.value,
            "spread": self.spread,
            "lower_is_better": self.lower_is_better,
            "card": self.card,
        }

    @classmethod
    def of(cls, name: str, record: Mapping[str, Any]) -> Figure:
        """The figure that `record()` was taken of; json's null is nan. Raises ValueError for anything else."""
        try:
            spread = record["spread"]
            return cls(
                str(name),
                math.nan if record["value"] is None else float(record["value"]),
                None if spread is None else float(spread),
                bool(record["lower_is_better"]),
                dict(record["card"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{name} is not a figure with a card") from error


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What keeps two figures from being compared: the parts of their protocol that differ."""
    return [key for key in PROTOCOL if one.get(key) != other.get(key)]


def find_figure(names: Mapping[str, Any], key: str) -> str | None:
    """The name that `key` means: itself, or the only one that begins with `key/`; None where there is none.

    Raises ConfigError where there are several.
    """
    if key in names:
        return key
    found = [name for name in names if name.startswith(f"{key}/")]
    if len(found) > 1:
        raise ConfigError(f"{key} may be any of {', '.join(sorted(found))}; say which")
    return found[0] if found else None
