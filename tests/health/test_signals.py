"""Signals go to the loggers by name and come back from `metrics.jsonl`."""

from __future__ import annotations

import math

from gan_lab.health.signals import Signals


def test_there_and_back() -> None:
    look = Signals(300, epochs=1.5, diversity=0.5, finite=0.0)
    scalars = look.scalars()
    assert scalars == {"health/epochs": 1.5, "health/diversity": 0.5, "health/finite": 0.0}
    back = Signals.of({"step": 300, **scalars, "loss/generator": 1.0, "time": 2.0})
    assert back is not None
    assert back.scalars() == scalars
    assert back.step == 300
    assert math.isnan(back.accuracy)


def test_other_lines_hold_none() -> None:
    assert Signals.of({"step": 20, "loss/generator": 0.5}) is None
