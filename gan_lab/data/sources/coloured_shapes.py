"""Drawn shapes in colours with what is said of them: text to image where one sees whether the words were obeyed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gan_lab.config import require_whole
from gan_lab.data.sources.source import Example, Joined, Source
from gan_lab.errors import ConfigError

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (50, 80, 220),
    "yellow": (235, 205, 40),
}
SHAPES = ("square", "circle", "triangle")
SAID = ("a {colour} {shape}", "the {shape} is {colour}")
SEEDS = {"train": 0, "test": 1}
FINER = 4  # samples of a pixel along each side, for smooth edges


class ColouredShapes(Joined):
    """`count` squares, circles and triangles in four colours on `paper` (0 black to 255 white), `size` pixels, each at
    a place and of a size of its own, and two captions of each. The label is the kind (`red square`). `split` train or
    test: other draws."""

    classes = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]  # noqa: RUF012

    def __init__(self, count: int = 3000, size: int = 32, split: str = "train", paper: int = 255) -> None:
        self.count = require_whole(count, "dataset.source.count")
        self.size = require_whole(size, "dataset.source.size")
        if isinstance(paper, bool) or not isinstance(paper, int) or not 0 <= paper <= 255:
            raise ConfigError(f"dataset.source.paper={paper}: a gray from 0 (black) to 255 (white)")
        self.paper = paper
        if split not in SEEDS:
            raise ConfigError(f"dataset.split={split}: choose {', '.join(SEEDS)}")
        self.split = split

    @property
    def identity(self) -> str:
        paper = "" if self.paper == 255 else f":on {self.paper}"
        return f"coloured_shapes:{self.count}:{self.size}:{self.split}{paper}"

    def describe(self) -> str:
        return f"{self.count} coloured shapes of {self.size} pixels, drawn ({self.split})"

    def __len__(self) -> int:
        return self.count

    def examples(self) -> Iterator[Example]:
        random = np.random.default_rng(SEEDS[self.split])
        for index in range(self.count):
            kind, place = int(random.integers(len(self.classes))), random.random(3)
            colour, shape = self.classes[kind].split()
            captions = [said.format(colour=colour, shape=shape) for said in SAID]
            yield Example(f"{index:05d}", draw(colour, shape, place, self.size, self.paper), kind, captions=captions)

    def replaced_by(self, local: Source) -> Source:
        raise ConfigError("dataset.path: these shapes are drawn, not read; leave dataset.path out")


def draw(colour: str, shape: str, place: NDArray[np.float64], size: int, paper: int = 255) -> NDArray[np.uint8]:
    """uint8 `(3, size, size)`: a shape of a radius between a quarter and two fifths of the side, somewhere inside;
    `place` is three numbers in [0, 1): the size, and how far down and to the right."""
    radius = 0.25 + 0.15 * place[0]
    top, left = radius + (1 - 2 * radius) * place[1], radius + (1 - 2 * radius) * place[2]
    sides = (np.arange(size * FINER) + 0.5) / (size * FINER)
    down, right = (sides[:, None] - top) / radius, (sides[None] - left) / radius
    inside = {
        "square": np.maximum(abs(down), abs(right)) < 0.85,
        "circle": down**2 + right**2 < 0.9,
        "triangle": (down < 0.8) & (abs(right) < (down + 0.9) / 1.9),
    }[shape]
    share = inside.reshape(size, FINER, size, FINER).mean((1, 3))
    ink = np.array(COLOURS[colour], np.float64)[:, None, None]
    pixels: NDArray[np.uint8] = np.round(paper + share * (ink - paper)).astype(np.uint8)
    return pixels
