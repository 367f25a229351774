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


class Block(NamedTuple):
    """So many calls took so many seconds."""

    calls: int
    seconds: float

    @property
    def each(self) -> float:
        return self.seconds / self.calls


def block(step: Step, seconds: float, device: torch.device) -> Block:
    """As many calls as `seconds` take, at least one. The device is waited for a few times only, after a share of the
    block each: never would let the host run minutes ahead of a slow round that one launch starts."""
    synchronise(device)
    calls, share, began = 0, 1, time.perf_counter()
    while True:
        for _ in range(share):
            step()
        calls += share
        synchronise(device)
        passed = time.perf_counter() - began
        if passed >= seconds:
            return Block(calls, passed)
        share = max(int(calls / passed * min(seconds - passed, seconds / 4)), 1)


def alternate(
    sides: Mapping[str, Step],
    blocks: int,
    seconds: float,
    device: torch.device,
    tell: Callable[[int, dict[str, Block]], None] = lambda index, latest: None,
) -> dict[str, list[Block]]:
    """`blocks` blocks of each side, in turns; a first block of each warms up and does not count.

    `tell` hears of every pair of blocks.
    """
    played: dict[str, list[Block]] = {name: [] for name in sides}
    for index in range(blocks + 1):
        latest = {name: block(step, seconds, device) for name, step in sides.items()}
        if index:
            for name, each in latest.items():
                played[name].append(each)
        tell(index, latest)
    return played
