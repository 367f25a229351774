"""The measures of one evaluation side by side: each hears of every part, and one that fails fails alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.features.extractor import Extracted
from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes

NO_FEATURES = Extracted(torch.empty(0, 0))


class Accumulators:
    """Of `n` generated images. A measure that raises is left out and put into `failed`; None: it raises. Where the
    extractor does, that goes for all who look at features."""

    def __init__(
        self, measures: Mapping[str, Measure], reference: Reference, n: int, failed: dict[str, Exception] | None = None
    ) -> None:
        self.measures = measures
        self.reference = reference
        self.failed = failed
        self._running: dict[str, Accumulator] = {}
        for name, measure in measures.items():
            with self._alone(name):
                self._running[name] = measure.begin(n)

    def add(self, images: Tensor, labels: Tensor | None, answered: Batch | None) -> None:
        """Hear of the next images `(k, C, H, W)` in [-1, 1], the classes and the samples that they were asked by."""
        if self.reference.data.store.dtype == "uint8":
            images = to_bytes(images)  # what a file would hold: eight bits
        seeing = [name for name in self._running if self.measures[name].features]
        extracted = NO_FEATURES
        if seeing:
            with self._alone(*seeing):
                extracted = self.reference.extractor(images)
        for name, accumulator in list(self._running.items()):
            with self._alone(name):
                accumulator.add(Part(images, extracted.features, extracted.probabilities, labels, answered))

    def values(self) -> Iterator[tuple[str, Value]]:
        """What each measure found, by its name, after the last part."""
        for name, accumulator in list(self._running.items()):
            found: list[Value] = []
            with self._alone(name):
                found = accumulator.values(self.reference)
            yield from ((name, value) for value in found)

    @contextlib.contextmanager
    def _alone(self, *names: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if self.failed is None:
                raise
            for name in names:
                self._running.pop(name, None)
                self.failed[name] = error
