"""A sampler around a sampler, which changes how images are made and not what can be asked for."""

from __future__ import annotations

from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.sampling.sampler import Sampler
from gan_lab.sampling.space import Space


class Around(Sampler):
    """Everything but `drawn` is that of the sampler inside."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.takes, self.network, self.label_space = sampler.takes, sampler.network, sampler.label_space
        self.directions, self.detector = sampler.directions, sampler.detector

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        return self.sampler.codes(n, seed, truncation)

    def codes_of_seed(self, n: int, seed: int, truncation: float | None = None) -> Tensor | None:
        return self.sampler.codes_of_seed(n, seed, truncation)

    def space(self, truncation: float | None = None) -> Space:
        return self.sampler.space(truncation)

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        return self.sampler.panel(shown, seed)

    def each_in_turn(self, n: int) -> Tensor | None:
        return self.sampler.each_in_turn(n)
