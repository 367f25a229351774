"""What a metric looks at, and what an evaluation asks for: features only where somebody does, every part once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.config import build_each
from gan_lab.features.extractor import Extracted
from gan_lab.metrics.accumulators import Accumulators
from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.coverage import density_coverage
from gan_lab.metrics.figure import Value
from gan_lab.metrics.manifolds import precision_recall
from gan_lab.metrics.measures import DensityCoverage, PrecisionRecall
from tests.compose import choices, composed

# compare each image with that of its sample
OF_PAIRS = {"ab_rmse", "content_correlation", "lpips", "psnr", "psnr_hole", "ssim", "style_distance"}
OF_IMAGES = {"swd", "cas", "r_precision", "attribute_accuracy", *OF_PAIRS}  # look at no features
OF_CLASSES = {"intra_class_fid", "cas", "attribute_accuracy"}  # look at the classes that were asked for


@pytest.mark.parametrize("group", choices("metrics"))
def test_what_a_metric_looks_at(group: str) -> None:
    measures: dict[str, Measure] = build_each(composed(f"metrics=[{group}]")["metrics"], "metrics")
    assert measures
    for name, measure in measures.items():
        assert measure.features == (name not in OF_IMAGES), name
        assert measure.labels == (name in OF_CLASSES), name
        assert measure.paired == (name in OF_PAIRS), name


class Keeping(Measure, Accumulator):
    """Keeps what it hears of."""

    def __init__(self, features: bool) -> None:
        self.features = features  # type: ignore[misc]
        self.parts: list[Part] = []

    def begin(self, n: int) -> Accumulator:
        return self

    def add(self, part: Part) -> None:
        self.parts.append(part)

    def values(self, reference: Any) -> list[Value]:
        return [Value("kept", float(len(self.parts)))]


@pytest.mark.parametrize("looking", [True, False])
def test_the_extractor_is_asked_once_a_part_where_anybody_looks(looking: bool) -> None:
    asked: list[Tensor] = []

    def extractor(images: Tensor) -> Extracted:
        asked.append(images)
        return Extracted(images.flatten(1).float())

    reference: Any = SimpleNamespace(data=SimpleNamespace(store=SimpleNamespace(dtype="uint8")), extractor=extractor)
    measures = {"one": Keeping(looking), "two": Keeping(looking), "three": Keeping(False)}
    accumulators = Accumulators(measures, reference, 4)
    images = torch.linspace(-1, 1, 4).view(4, 1, 1, 1)
    labels = torch.arange(4)
    for part in (slice(0, 3), slice(3, 4)):
        accumulators.add(images[part], labels[part], None)
    assert [len(each) for each in asked] == ([3, 1] if looking else [])
    for measure in measures.values():
        assert torch.cat([part.images for part in measure.parts]).flatten().tolist() == [0, 85, 170, 255]
        assert torch.cat([part.labels for part in measure.parts]).tolist() == [0, 1, 2, 3]  # type: ignore[misc]
        assert [len(part.features) for part in measure.parts] == ([3, 1] if looking else [0, 0])
    assert [(name, value.value) for name, value in accumulators.values()] == [("one", 2), ("two", 2), ("three", 2)]


def test_real_features_are_not_taken_for_generated_ones() -> None:
    """Where two sides are not the same to a metric: its figure is the function's of real and generated features."""
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(40, 3, generator=generator), 0.4 * torch.randn(30, 3, generator=generator)
    reference: Any = SimpleNamespace(features=lambda n: real[:n])
    for measure, compare in (
        (PrecisionRecall(k=3), lambda: precision_recall(real[:30], fake, 3)),
        (DensityCoverage(k=5), lambda: density_coverage(real[:30], fake, 5)),
    ):
        accumulator = measure.begin(30)
        for part in fake.split(20):
            accumulator.add(Part(torch.empty(len(part)), part, None, None))
        one, other = accumulator.values(reference)
        assert (one.value, other.value) == compare()
        assert one.value != pytest.approx(other.value, abs=0.1)
        assert not one.lower_is_better
        assert not other.lower_is_better
