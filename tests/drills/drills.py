"""The drills by name, how often each is done, and how often by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.drills import kills


class Drill(NamedTuple):
    """`play(folder, count)` tells what was lost; `few` is the count of the tests."""

    play: Callable[[Path, int], list[str]]
    count: int
    few: int = 1


DRILLS = {
    "kill": Drill(kills.kill, 50, 2),
    "terminate": Drill(kills.terminate, 20),
    "store": Drill(kills.store, 50, 3),
    "sweep": Drill(kills.sweep, 50, 2),
}
