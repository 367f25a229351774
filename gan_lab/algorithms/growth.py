"""When networks grow: a pure function of the images shown (Karras et al. 2017, arXiv:1710.10196, appendix A)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from gan_lab.config import require_number, require_whole
from gan_lab.errors import ConfigError

T = TypeVar("T")
Pairs = Sequence[Sequence[Any]]


class Grown(NamedTuple):
    """How many doublings of the first map there are, and how far the latest has faded in: 1 is whole."""

    level: int
    share: float

    @property
    def fading(self) -> bool:
        return self.share < 1


class Growth:
    """`stable_images` at each size, then `fade_images` in which the next one fades in, until all are there; from
    `start` doublings of the first map on (0: from its own 4 to 7 pixels, 1: from twice as many).

    `batch_limits`, pairs: from so many pixels of the longer side on, so many images of a batch at most, which the
    memory that large images take asks for; `rates`, pairs: from so many on, what learning rates are multiplied by.
    Raises ConfigError for what is no such number.
    """

    def __init__(
        self,
        stable_images: int,
        fade_images: int,
        start: int = 0,
        batch_limits: Pairs = (),
        rates: Pairs = (),
    ) -> None:
        self.stable_images = require_whole(stable_images, "algorithm.stages.stable_images", 1)
        self.fade_images = require_whole(fade_images, "algorithm.stages.fade_images", 0)
        self.start = require_whole(start, "algorithm.stages.start", 0)
        self.batch_limits = {
            size: require_whole(limit, f"algorithm.stages.batch_limits, from {size} pixels on")
            for size, limit in _by_size(batch_limits, "batch_limits")
        }
        self.rates = {
            size: require_number(rate, f"algorithm.stages.rates, from {size} pixels on", above=0)
            for size, rate in _by_size(rates, "rates")
        }

    def at(self, images: int, levels: int) -> Grown:
        """After so many images, of networks of so many doublings. A fade begins with the first image beyond
        `stable_images`, its share the part of `fade_images` that was shown."""
        phase, within = divmod(images, self.stable_images + self.fade_images)
        level = self.start + phase
        if level >= levels:
            return Grown(levels, 1.0)
        if within <= self.stable_images:
            return Grown(level, 1.0)
        return Grown(level + 1, (within - self.stable_images) / self.fade_images)

    def images(self, levels: int) -> int:
        """How many are shown until everything is there."""
        return max(levels - self.start, 0) * (self.stable_images + self.fade_images)

    def batch_limit(self, side: int) -> int | None:
        """The most images of a batch at so many pixels."""
        return _from(self.batch_limits, side)

    def rate(self, side: int) -> float:
        """What learning rates are multiplied by at so many pixels."""
        return _from(self.rates, side) or 1.0


def _by_size(pairs: Pairs, name: str) -> list[tuple[int, Any]]:
    """The pairs, smallest size first."""
    if not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        raise ConfigError(f"algorithm.stages.{name}: {pairs!r} are not pairs, e.g. [[256,14],[512,6]]")
    return sorted((require_whole(size, f"algorithm.stages.{name}: pixels"), value) for size, value in pairs)


def _from(table: Mapping[int, T], side: int) -> T | None:
    """The entry of the largest size up to this one."""
    return next((value for size, value in reversed([*table.items()]) if size <= side), None)
