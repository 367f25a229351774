"""A sampler whose networks detect, too."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.sampling.around import Around
from gan_lab.sampling.detector import Detector
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler


class Detecting(Around):
    """Shows samples of the sampler inside, and beside them pictures and what the detector makes of them."""

    detector: Detector

    def __init__(self, sampler: Sampler, detector: Detector) -> None:
        super().__init__(sampler)
        self.detector = detector

    def drawn(self, request: Request) -> Iterator[Tensor]:
        return self.sampler.images(request)

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        return super().panel(shown, seed) | self.detector.panel(shown.image)
