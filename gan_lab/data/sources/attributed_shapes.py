"""Drawn shapes with attributes that are combined freely: one sees of every image whether it has what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gan_lab.config import require_whole
from gan_lab.data.sources.coloured_shapes import SEEDS, draw
from gan_lab.data.sources.source import Sample, Source
from gan_lab.errors import ConfigError

SHARE = 0.25  # of the range of sizes that large ones have, and small ones


class AttributedShapes(Source):
    """`count` shapes on white, `size` pixels, each at a place of its own: `round` (a circle) or a square, `red` or
    blue, `large` or small, each with probability 1/2 whatever the others are. `split` train or test: other draws."""

    attributes = ["round", "red", "large"]  # noqa: RUF012

    def __init__(self, count: int = 3000, size: int = 16, split: str = "train") -> None:
        self.count = require_whole(count, "dataset.source.count")
        self.size = require_whole(size, "dataset.source.size")
        if split not in SEEDS:
            raise ConfigError(f"dataset.split={split}: choose {', '.join(SEEDS)}")
        self.split = split

    @property
    def channels(self) -> int:
        return 3

    @property
    def identity(self) -> str:
        return f"attributed_shapes:{self.count}:{self.size}:{self.split}"

    def describe(self) -> str:
        return f"{self.count} shapes of {self.size} pixels with attributes, drawn ({self.split})"

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Sample]:
        random = np.random.default_rng(SEEDS[self.split])
        for index in range(self.count):
            is_round, is_red, is_large = (int(number) for number in random.integers(2, size=3))
            place = random.random(3)
            place[0] = (1 - SHARE) * is_large + SHARE * place[0]
            image = draw("red" if is_red else "blue", "circle" if is_round else "square", place, self.size)
            yield f"{index:05d}", image, (is_round, is_red, is_large)

    def replaced_by(self, local: Source) -> Source:
        raise ConfigError("dataset.path: these shapes are drawn, not read; leave dataset.path out")
