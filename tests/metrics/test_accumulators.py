"""Measures of one evaluation side by side: one that fails takes none of the others with it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_lab.features.extractor import Extracted
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.accumulators import Accumulators
from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.reference import Reference
from tests.metrics.test_evaluation import CPU, data


class Counts(Measure, Accumulator):
    """How many images it has heard of; raises at `fails`."""

    def __init__(self, fails: str = "", looks: bool = True) -> None:
        self.fails, self.features, self.count = fails, looks, 0  # type: ignore[misc]

    def begin(self, n: int) -> Accumulator:
        return self.at("begin")

    def add(self, part: Part) -> None:
        self.at("add").count += len(part.images)
        assert len(part.features) in (0, len(part.images))

    def values(self, reference: Reference) -> list[Value]:
        return [Value("count", self.at("values").count)]

    def at(self, moment: str) -> Counts:
        if moment == self.fails:
            raise ZeroDivisionError(moment)
        return self


class Blind(Pixels):
    def __call__(self, images: Tensor) -> Extracted:
        raise MemoryError("none left")


def taken(measures: dict[str, Counts], reference: Reference, failed: dict[str, Exception] | None) -> dict[str, float]:
    accumulators = Accumulators(measures, reference, 6, failed)
    for part in torch.zeros(6, 1, 16, 16).split(2):
        accumulators.add(part, None, None)
    return {name: value.value for name, value in accumulators.values()}


def reference_of(extractor: Pixels) -> Reference:
    found = data()
    extractor.prepare(found, CPU)
    return Reference(found, extractor)


def test_whoever_fails_fails_alone() -> None:
    measures = {name: Counts(name) for name in ("begin", "add", "values", "")}
    failed: dict[str, Exception] = {}
    assert taken(measures, reference_of(Pixels()), failed) == {"": 6}
    assert {name: str(error) for name, error in failed.items()} == {name: name for name in measures if name}
    with pytest.raises(ZeroDivisionError, match="add"):
        taken(measures | {"begin": Counts()}, reference_of(Pixels()), None)


def test_an_extractor_that_fails_takes_those_who_look_at_features() -> None:
    failed: dict[str, Exception] = {}
    assert taken({"looks": Counts(), "blind": Counts(looks=False)}, reference_of(Blind()), failed) == {"blind": 6}
    assert list(failed) == ["looks"]
