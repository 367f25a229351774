"""Gaussians in the plane, where one sees what a generator misses: every sample is an "image" of shape (2, 1, 1)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.sources.source import Sample, Source
from gan_lab.errors import ConfigError


class Mixture(Source):
    """`count` points drawn from equally likely Gaussians of standard deviation `std`; the label is the Gaussian.

    The points are divided by `extent`, half the side of the square that is looked at, so that they lie in [-1, 1] and a
    tanh can make them. Raises ValueError where a Gaussian would reach out of the square (6 standard deviations).
    """

    shape = (2, 1, 1)

    def __init__(self, std: float, extent: float, count: int, seed: int) -> None:
        if not std > 0:
            raise ValueError(f"std={std}: must be above 0")
        if count < 1:
            raise ValueError(f"count={count}: must be at least 1")
        self.std = float(std)
        self.extent = float(extent)
        self.count = count
        self.seed = seed
        reach = float(np.abs(self.centres).max()) + 6 * self.std
        if not reach <= extent:
            raise ValueError(f"extent={extent}: the points reach out to {reach:g}; take at least that")

    @property
    @abstractmethod
    def centres(self) -> NDArray[np.float64]:
        """`(modes, 2)`, unscaled."""

    @property
    def classes(self) -> list[str]:  # type: ignore[override]
        return [str(mode) for mode in range(len(self.centres))]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Sample]:
        random = np.random.default_rng(self.seed)
        modes = random.integers(len(self.centres), size=self.count)
        points = self.centres[modes] + self.std * random.standard_normal((self.count, 2))
        scaled = np.clip(points / self.extent, -1, 1).astype(np.float32)
        for index, (point, mode) in enumerate(zip(scaled, modes, strict=True)):
            yield str(index), point.reshape(2, 1, 1), int(mode)

    def replaced_by(self, local: Source) -> Source:
        raise ConfigError("dataset.path: these points are drawn, not read; leave dataset.path out")


class Ring(Mixture):
    """`modes` Gaussians evenly on a circle, the first at angle 0 (Metz et al. 2016, arXiv:1611.02163; these sizes as in
    PacGAN, Lin et al. 2017, arXiv:1712.04086: radius 1, variance 1e-4)."""

    def __init__(
        self,
        modes: int = 8,
        radius: float = 1.0,
        std: float = 0.01,
        extent: float = 1.5,
        count: int = 50_000,
        seed: int = 0,
    ) -> None:
        if modes < 1:
            raise ValueError(f"modes={modes}: must be at least 1")
        self.modes = modes
        self.radius = float(radius)
        super().__init__(std, extent, count, seed)

    @property
    def centres(self) -> NDArray[np.float64]:
        angles = 2 * math.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)

    @property
    def identity(self) -> str:
        return f"ring:{self.modes}:{self.radius}:{self.std}:{self.extent}:{self.count}:{self.seed}"

    def describe(self) -> str:
        return f"{self.modes} Gaussians on a ring of radius {self.radius:g}, std {self.std:g}, seed {self.seed}"


class Grid(Mixture):
    """`modes` Gaussians on a square grid around the origin, `spacing` apart, row by row from the lower left (VEEGAN,
    Srivastava et al. 2017, arXiv:1705.07761; these sizes as in PacGAN, arXiv:1712.04086: 25, variance 0.0025)."""

    def __init__(
        self,
        modes: int = 25,
        spacing: float = 2.0,
        std: float = 0.05,
        extent: float = 5.0,
        count: int = 50_000,
        seed: int = 0,
    ) -> None:
        if modes < 1 or math.isqrt(modes) ** 2 != modes:
            raise ValueError(f"modes={modes}: a square number, e.g. {max(1, math.isqrt(max(modes, 0))) ** 2}")
        self.modes = modes
        self.spacing = float(spacing)
        super().__init__(std, extent, count, seed)

    @property
    def centres(self) -> NDArray[np.float64]:
        side = math.isqrt(self.modes)
        steps = self.spacing * (np.arange(side) - (side - 1) / 2)
        return np.stack([np.tile(steps, side), np.repeat(steps, side)], axis=1)

    @property
    def identity(self) -> str:
        return f"grid:{self.modes}:{self.spacing}:{self.std}:{self.extent}:{self.count}:{self.seed}"

    def describe(self) -> str:
        return f"{self.modes} Gaussians on a grid of spacing {self.spacing:g}, std {self.std:g}, seed {self.seed}"
