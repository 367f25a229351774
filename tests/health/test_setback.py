"""How far an objective has fallen behind its best."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from gan_lab.health.setback import Setback, ratio
from gan_lab.metrics.figure import Figure
from gan_lab.training.run import Best


def figure(value: float, spread: float | None = None, lower: bool = True) -> Figure:
    return Figure("it", value, spread, lower, {})


def test_ratios() -> None:
    assert ratio(figure(8.0, 0.1), 2.0) == 4.0
    assert ratio(figure(0.2, lower=False), 0.8) == 4.0
    assert ratio(figure(1.0, 0.1), 2.0) == 1.0  # better
    assert ratio(figure(8.0, 1.3), 2.0) == 1.0  # it may be chance
    assert ratio(figure(0.03), 0.01) == 1.0  # nobody knows
    assert math.isnan(ratio(figure(0.1, 1e-3), -0.1))  # an unbiased estimate about 0
    assert math.isnan(ratio(figure(math.nan), 1.0))


def test_the_better_of_the_two_latest_measurements_counts() -> None:
    run: Any = SimpleNamespace(best=None, measured={})
    setback, seen = Setback(), []
    for value in (2.0, 10.0, 6.0, 8.0, 2.0):
        run.measured, run.best = {"it": figure(value)}, Best("it", 2.0, 1, 0)
        seen += [setback.read(run), setback.read(run)]
    assert seen[:2] == pytest.approx([math.nan] * 2, nan_ok=True)
    assert seen[2:] == [1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 1.0, 1.0]
