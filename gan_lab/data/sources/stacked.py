"""Three gray images stacked as red, green and blue: a data set whose modes can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.sources.images import fit
from gan_lab.data.sources.source import Sample, Source
from gan_lab.errors import ConfigError


class Stacked(Source):
    """`count` images whose channels are three images of `source`, drawn at random with replacement.

    With the ten digits these are the 1000 modes of stacked MNIST (Metz et al. 2016, arXiv:1611.02163; of 128,000 images
    in PacGAN, arXiv:1712.04086). Labels a, b, c of the n classes give `n^2 a + n b + c`, so the class of three digits
    has their number. Images of other sizes than the first are fitted to it. Raises ConfigError for a source
    without labels.
    """

    def __init__(self, source: Source, count: int = 128_000, seed: int = 0) -> None:
        if count < 1:
            raise ValueError(f"count={count}: must be at least 1")
        self.source = source
        self.count = count
        self.seed = seed

    @property
    def channels(self) -> int:
        return 3

    @property
    def identity(self) -> str:
        return f"stacked:{self.source.identity}:{self.count}:{self.seed}"

    def describe(self) -> str:
        return f"three of {self.source.describe()} as red, green and blue, seed {self.seed}"

    def replaced_by(self, local: Source) -> Source:
        return Stacked(local, self.count, self.seed)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Sample]:
        images, labels = self._load()
        names = self.source.classes or [str(label) for label in range(int(labels.max()) + 1)]
        between = "" if all(len(name) == 1 for name in names) else "/"
        self.classes = [between.join(three) for three in product(names, repeat=3)]
        chosen = np.random.default_rng(self.seed).integers(len(images), size=(self.count, 3))
        for index, (a, b, c) in enumerate(chosen):
            label = (labels[a] * len(names) + labels[b]) * len(names) + labels[c]
            yield f"{index:06d}", np.stack([images[a], images[b], images[c]]), int(label)

    def _load(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Every gray image of the source, `(n, H, W)`, and its label."""
        images: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        for name, image, label in self.source:
            if not isinstance(label, int):
                raise ConfigError(
                    f"dataset: {name} of {self.source.describe()} has no label; stacking needs one for each"
                )
            size = images[0].shape if images else image.shape[1:] if isinstance(image, np.ndarray) else image.size[::-1]
            images.append(fit(image, (1, *size), "crop")[0])
            labels.append(label)
        if not images:
            raise ConfigError(f"dataset: {self.source.describe()} has no images")
        return np.stack(images), np.array(labels, np.int64)
