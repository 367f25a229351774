"""Two sides measured in turns, so that a machine that slows down slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

Step = Callable[[], object]


class Spread(NamedTuple):
    """Of the blocks' values: the middle one, the least and the greatest."""

    median: float
    least: float
    most: float

    def __format__(self, how: str) -> str:
        return f"{self.median:{how}} ({self.least:{how}} to {self.most:{how}})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratios(times: Sequence[float], base: Sequence[float]) -> Spread:
    """How many times faster than `base`, block by block."""
    return spread([theirs / ours for theirs, ours in zip(base, times, strict=True)])


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def block(step: Step, seconds: float, device: torch.device) -> float:
    """Seconds per call, over as many calls as `seconds` take (at least one; four at a time where nobody waits)."""
    synchronise(device)
    calls, began = 0, time.perf_counter()
    while True:
        for _ in range(1 if device.type == "cpu" else 4):
            step()
            calls += 1
        if time.perf_counter() - began >= seconds or calls >= 10**6:
            synchronise(device)
            return (time.perf_counter() - began) / calls


def alternate(
    sides: Mapping[str, Step],
    blocks: int,
    seconds: float,
    device: torch.device,
    tell: Callable[[int, dict[str, float]], None] = lambda index, times: None,
) -> dict[str, list[float]]:
    """Seconds per call of each side in `blocks` blocks, in turns; a first block of each warms up and does not count.

    `tell` hears of every pair of blocks.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for index in range(blocks + 1):
        latest = {name: block(step, seconds, device) for name, step in sides.items()}
        if index:
            for name, value in latest.items():
                times[name].append(value)
        tell(index, latest)
    return times
