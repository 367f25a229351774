"""The band of a figure: where every run of a recipe is expected to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gan_lab.command_line.table import number
from gan_lab.errors import ConfigError

NUMBERS = ("value", "spread", "at_least", "at_most")


@dataclass(frozen=True)
class Band:
    """`at_least` and `at_most` hold for each run by itself. `value` is the mean that was measured, `spread` the
    standard deviation over its seeds (None: one seed). `metric` is the figure's name or its beginning (`fid`)."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    value: float | None = None
    spread: float | None = None

    @classmethod
    def read(cls, metric: str, node: Any, where: str) -> Band:
        """From the configuration. Raises ConfigError, naming the place `where` it stands, for what is no band."""
        if not isinstance(node, Mapping) or not set(node) <= set(NUMBERS):
            raise ConfigError(f"{where}: {node!r} is not a band, e.g. {{value: 6.6, spread: 0.4, at_most: 9}}")
        for name, found in node.items():
            whole = isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
            if found is not None and not whole:
                raise ConfigError(f"{where}.{name}: {found!r} is not a number")
        band = cls(metric, **node)
        if band.at_least is None and band.at_most is None:
            raise ConfigError(f"{where}: has no bound; give at_most (or at_least, where more is better)")
        if band.at_least is not None and band.at_most is not None and band.at_least > band.at_most:
            raise ConfigError(f"{where}: no figure is at least {band.at_least:g} and at most {band.at_most:g}")
        return band

    def holds(self, figure: Any) -> bool:
        """Whether a figure lies inside; none that was not measured does."""
        if isinstance(figure, bool) or not isinstance(figure, (int, float)) or math.isnan(figure):
            return False
        above = self.at_least is None or figure >= self.at_least
        return above and (self.at_most is None or figure <= self.at_most)

    @property
    def measured(self) -> str:
        """`fid 6.6 ± 0.4`."""
        if self.value is None:
            return ""
        return f"{self.metric} {number(self.value)}" + ("" if self.spread is None else f" ± {self.spread:.2g}")

    def __str__(self) -> str:
        """`fid <= 9`."""
        if self.at_least is None:
            return f"{self.metric} <= {number(self.at_most)}"
        if self.at_most is None:
            return f"{self.metric} >= {number(self.at_least)}"
        return f"{number(self.at_least)} <= {self.metric} <= {number(self.at_most)}"
