"""The drills by name, how often each is done, and how often by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.drills import disks, endurance, kills, races, ranks


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
    "full": Drill(disks.full, 20),
    "write_protected": Drill(disks.write_protected, 1),
    "truncated": Drill(disks.truncated, 20),
    "one_folder": Drill(races.one_folder, 10),
    "one_store": Drill(races.one_store, 20),
    "clock": Drill(races.clock, 10),
    "rotate": Drill(endurance.rotate, 1000, 20),
    "ranks": Drill(ranks.ranks, 50, 2),
    **{f"last_{family}": Drill(endurance.last(family), 10_000, 20) for family in endurance.FAMILIES},
}
