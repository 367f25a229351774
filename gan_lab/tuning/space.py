"""The search space: which settings vary, and between which values.

In YAML, below `space`, nested as the settings are or by dotted keys:

    optimizer.generator.lr: {low: 1e-5, high: 1e-2, log: true}   # a number; whole where both ends are
    algorithm.critic_steps: {low: 1, high: 5}                    # step: 2 takes every other
    loss: [hinge, non_saturating]                                # as typed behind `loss=`; also {choices: [...]}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_lab.command_line.overrides import quote
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

OF_INTERVAL = ("low", "high", "log", "step")
OF_DIMENSION = (*OF_INTERVAL, "choices")
DIGITS = 4  # of a number that was not to be whole: short enough to be typed again


class Interval(NamedTuple):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, (int, type(None)))

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(float(self.low), float(self.high), log=self.log, step=self.step)

    def text(self, value: Any) -> str:
        """As typed behind `key=`; a fraction in few digits."""
        if self.whole:
            return str(int(value))
        short = float(f"{float(value):.{DIGITS}g}")
        return repr(min(max(short, float(self.low)), float(self.high)))

    def of_setting(self, value: Any) -> float | None:
        """A setting of a configuration as a value of this dimension; None where it lies outside."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.low <= value <= self.high:
            return None
        off = (value - self.low) / (self.step or (1 if self.whole else value - self.low or 1))
        return None if abs(off - round(off)) > 1e-9 else value

    def ends(self) -> list[str]:
        return [self.text(self.low), self.text(self.high)]


class Categorical(NamedTuple):
    """One of several values, each as it is typed behind `key=`."""

    texts: tuple[str, ...]

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.texts)

    def text(self, value: Any) -> str:
        return str(value)

    def of_setting(self, value: Any) -> str | None:
        text = typed(value)
        return text if text in self.texts else None

    def ends(self) -> list[str]:
        return list(self.texts)


Dimension = Interval | Categorical


class Space(dict[str, Dimension]):
    """The dimensions by dotted key."""

    @classmethod
    def read(cls, node: Any, key: str = "") -> Space:
        """The dimensions below a node of the configuration. Raises ConfigError, naming the key."""
        if isinstance(node, (list, tuple)) and key:
            return cls({key: _categorical(node, key)})
        if not isinstance(node, Mapping):
            where = f"space.{key}" if key else "space"
            raise ConfigError(f"{where}: {node!r} is neither {{low, high}} nor a list of choices")
        if key and node and all(name in OF_DIMENSION for name in node):
            return cls({key: _categorical(node["choices"], key) if "choices" in node else _interval(node, key)})
        found = cls()
        for name, below in node.items():
            found.update(cls.read(below, f"{key}.{name}" if key else str(name)))
        return found

    def words(self, values: Mapping[str, Any]) -> list[str]:
        """The overrides of one trial."""
        return [f"{key}={dimension.text(values[key])}" for key, dimension in self.items()]

    def default(self, settings: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The point where nothing is overridden, out of `key -> setting`, and the key that hinders it."""
        found = {}
        for key, dimension in self.items():
            value = dimension.of_setting(settings.get(key))
            if value is None:
                return {}, key
            found[key] = value
        return found, ""

    def check_apart(self, keys: Sequence[str]) -> None:
        """Raise ConfigError for a setting that is searched and typed too."""
        for key in keys:
            if key in self:
                raise ConfigError(f"{key}: is typed and in the search space too; leave one out, e.g. by ~space.{key}")


def _categorical(values: Any, key: str) -> Categorical:
    if not isinstance(values, (list, tuple)) or len(values) < 2:
        raise ConfigError(f"space.{key}: needs a list of at least two choices")
    texts = tuple(value if isinstance(value, str) else typed(value) for value in values)
    if len(set(texts)) < len(texts):
        raise ConfigError(f"space.{key}: a choice stands there twice")
    return Categorical(texts)


def _interval(node: Mapping[str, Any], key: str) -> Interval:
    for name in ("low", "high"):
        if name not in node:
            raise ConfigError(f"space.{key}: has no {name}")
    low, high, log, step = (node.get(name) for name in OF_INTERVAL)
    for name, value in (("low", low), ("high", high), *((("step", step),) if step is not None else ())):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigError(f"space.{key}.{name}: {value!r} is not a number{_meant(value)}")
    if log not in (None, True, False):
        raise ConfigError(f"space.{key}.log: {log!r} is not true or false")
    assert low is not None and high is not None  # noqa: PT018 - looked at above
    if not low < high:
        raise ConfigError(f"space.{key}: low {low} is not below high {high}")
    if log and low <= 0:
        raise ConfigError(f"space.{key}: low {low} has no logarithm; give one above 0, or leave out log")
    if step is not None and (log or step <= 0):
        raise ConfigError(f"space.{key}.step: {step} must be above 0, and goes without log")
    return Interval(low, high, bool(log), step)


def _meant(value: Any) -> str:
    """YAML takes 1e-5 for a word in some places."""
    try:
        return f" (write it {float(value)!r})" if isinstance(value, str) else ""
    except ValueError:
        return ""


def typed(value: Any) -> str:
    """A plain value as Hydra's grammar has it behind `key=`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{_part(part)}" for name, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_part, value)) + "]"
    return str(value)


def _part(value: Any) -> str:
    plain = not isinstance(value, str) or value.replace("_", "").isalnum()
    return typed(value) if plain else quote(str(value))
