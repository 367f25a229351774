"""A sampler whose images are all truncated: what is typical of a generator, measured beside what it varies."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.sampling.around import Around
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import REFUSED, Sampler


class Truncated(Around):
    """Asks the sampler inside for images of this `truncation`. Raises ConfigError for one that has nothing to
    truncate."""

    def __init__(self, sampler: Sampler, truncation: float) -> None:
        super().__init__(sampler)
        if "truncation" not in sampler.takes:
            raise ConfigError(f"truncation: this generator {REFUSED['truncation']}")
        self.truncation = truncation

    def drawn(self, request: Request) -> Iterator[Tensor]:
        return self.sampler.images(request._replace(truncation=self.truncation))
