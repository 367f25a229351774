"""What is configured: the numbers of the papers, and each measure is its function of the features, real ones first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lab.metrics import density_coverage, frechet_distance, inception_score, kernel_distance, precision_recall
from gan_lab.metrics.base import Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.frechet import Moments
from gan_lab.metrics.intra_class import intra_class_distance
from gan_lab.metrics.measures import (
    DensityCoverage,
    FrechetDistance,
    InceptionScore,
    IntraClassDistance,
    KernelDistance,
    Memorisation,
    PrecisionRecall,
    SlicedWasserstein,
)
from gan_lab.metrics.memorisation import memorisation
from gan_lab.metrics.sliced_wasserstein import sliced_wasserstein
from tests.metrics.features import gaussians

REAL, FAKE = (torch.from_numpy(each).float() for each in gaussians(90, 4))
LABELS = torch.arange(90) % 3


class Store(SimpleNamespace):
    def __len__(self) -> int:
        return 90


class Real:
    """The data's side: 90 features of 4 dimensions in three classes, and images."""

    images_of = torch.randint(256, (90, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    data = SimpleNamespace(store=Store(labels=LABELS.numpy(), classes=["a", "b", "c"], num_classes=3))

    def __init__(self) -> None:
        self.moments = Moments()
        self.moments.add(REAL)

    def features(self, n: int) -> Tensor:
        return REAL[:n]

    def labels(self, n: int) -> Tensor:
        return LABELS[:n]

    def images(self, n: int) -> Tensor:
        return self.images_of[:n]


def taken(measure: Measure, n: int = 60) -> list[Value]:
    """Of the first `n` fakes, in two parts."""
    accumulator, images = measure.begin(n), 255 - Real.images_of
    chances = FAKE.softmax(1)
    for part in (slice(0, 25), slice(25, n)):
        accumulator.add(Part(images[part], FAKE[part], chances[part], LABELS.flip(0)[part]))
    return accumulator.values(Real())  # type: ignore[arg-type]


EXPECTED: dict[str, tuple[Measure, Any, bool]] = {
    "fid": (FrechetDistance(), lambda: frechet_distance(REAL, FAKE[:60]), True),
    "kid": (KernelDistance(7, 20), lambda: kernel_distance(REAL[:60], FAKE[:60], 7, 20)[0], True),
    "inception_score": (InceptionScore(4), lambda: inception_score(FAKE[:60].softmax(1), 4)[0], False),
    "precision recall": (PrecisionRecall(2), lambda: precision_recall(REAL[:60], FAKE[:60], 2), False),
    "density coverage": (DensityCoverage(2), lambda: density_coverage(REAL[:60], FAKE[:60], 2), False),
    "swd": (
        SlicedWasserstein(40, seed=3),
        lambda: sliced_wasserstein(Real.images_of[:40], 255 - Real.images_of[:40], 3)["mean"],
        True,
    ),
    "intra_class_fid": (
        IntraClassDistance(5),
        lambda: intra_class_distance(REAL, LABELS, FAKE[:60], LABELS.flip(0)[:60]),
        True,
    ),
    "memorisation": (Memorisation(80), lambda: memorisation(REAL[:80], None, FAKE[:60]), False),
}


@pytest.mark.parametrize("names", EXPECTED)
def test_each_is_its_function(names: str) -> None:
    measure, function, lower = EXPECTED[names]
    found = taken(measure)
    assert [value.name for value in found] == names.split()
    assert [value.value for value in found] == pytest.approx(np.atleast_1d(function()), rel=1e-9)
    assert {value.lower_is_better for value in found} == {lower}


def test_the_papers_numbers() -> None:
    """KID 100 subsets of 1000, IS 10 splits, neighbours 3 and 5: arXiv:1801.01401, 1606.03498, 1904.06991, 2002.09797;
    2048 images at 128 patches of 7x7, 512 directions: the code of 1710.10196."""
    assert KernelDistance().settings == {"subsets": 100, "subset_size": 1000}
    assert InceptionScore().settings == {"splits": 10}
    assert PrecisionRecall().settings == {"k": 3}
    assert DensityCoverage().settings == {"k": 5}
    assert SlicedWasserstein().settings == {"most": 2048, "seed": 0}
    assert IntraClassDistance().settings == {"least": 50}
    for function, k in ((precision_recall, 3), (density_coverage, 5)):
        assert function(REAL, FAKE) == function(REAL, FAKE, k=k)
        assert function(REAL, FAKE) != function(REAL, FAKE, k=4)
