"""The little language of `gan-lab runs`: `filter='model=dcgan step>=1000'`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gan_lab.errors import ConfigError

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CONDITION = re.compile(r"([^<>=!\s]+?)\s*(!=|<=|>=|=|<|>)\s*([^<>=!].*)")
LOOSE = re.compile(r"\s*(!=|<=|>=|=|<|>)\s*")


@dataclass
class Condition:
    """`key operator value`; with `=` and `!=` the value may be several, `model=dcgan|wgan_gp`."""

    key: str
    operator: str
    value: str

    def holds(self, actual: Any) -> bool:
        """Compare as numbers where both are; a run without a value passes only `!=`. Raises ConfigError where a number
        is to be larger or smaller than what is none."""
        if actual is None:
            return self.operator == "!="
        if self.operator in ("=", "!="):
            found = any(same(actual, value) for value in self.value.split("|"))
            return found == (self.operator == "=")
        mine, theirs = numeric(actual), numeric(self.value)
        if theirs is None and mine is not None:
            raise ConfigError(
                f"filter: {self.key}{self.operator}{self.value}: {self.key} is a number, {self.value!r} is none"
            )
        if mine is None or theirs is None:
            return OPERATORS[self.operator](str(actual), self.value)
        return OPERATORS[self.operator](mine, theirs)


def same(actual: Any, value: str) -> bool:
    mine, theirs = numeric(actual), numeric(value)
    if mine is not None and theirs is not None:
        return mine == theirs
    return plain(actual) == value.strip()


def plain(value: Any) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def numeric(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def words(value: Any) -> list[str]:
    """A list, or a text of words parted by commas or blanks, brackets allowed; nothing for null."""
    if value is None:
        return []
    if isinstance(value, str):
        return [word for word in re.split(r"[,\s]+", value.strip().removeprefix("[").removesuffix("]")) if word]
    return [str(word) for word in value]


def conditions(value: Any) -> list[Condition]:
    """Read a filter. Raises ConfigError for what is no condition."""
    found = []
    for word in words(LOOSE.sub(r"\1", value) if isinstance(value, str) else value):
        parts = CONDITION.fullmatch(word)
        if parts is None:
            raise ConfigError(f"filter: {word!r} is no condition; e.g. filter='model=dcgan step>=1000 state=finished'")
        found.append(Condition(parts[1], parts[2], parts[3]))
    return found
