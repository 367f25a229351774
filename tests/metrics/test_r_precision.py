"""R-precision: exact over all galleries, beside its ceiling and floor."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from gan_lab.data.dataset import build_dataset
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.base import Part
from gan_lab.metrics.matcher import Matcher, features_of, fitted
from gan_lab.metrics.r_precision import RPrecision, captions_of_each, r_precision, scores
from gan_lab.metrics.reference import Reference
from tests.compose import composed

SHAPES = (
    "dataset=coloured_shapes",
    "dataset.source.count=120",
    "dataset.source.size=16",
    "dataset.image_shape=[3,16,16]",
)


@pytest.mark.parametrize("gallery", [2, 3, 5])
def test_the_mean_over_all_galleries(gallery: int) -> None:
    similarity = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
    own = torch.tensor([0, 1, 2, 3, 4, 2])
    hits = []
    for row, mine in zip(similarity, own.tolist(), strict=True):
        others = [place for place in range(5) if place != mine]
        hits += [all(row[mine] > row[each] for each in some) for some in itertools.combinations(others, gallery - 1)]
    assert_close(r_precision(similarity, own, gallery), sum(hits) / len(hits), atol=1e-12, rtol=0)


def test_perfect_worst_and_undecided() -> None:
    own = torch.arange(4)
    assert r_precision(torch.eye(4), own, 100) == 1.0
    assert r_precision(-torch.eye(4), own, 2) == 0.0
    assert r_precision(torch.zeros(4, 4), own, 4) == 0.0  # who says the same of all has found nothing


class Reads(Matcher):
    """Knows captions by the first pixel."""

    def similarity(self, images: torch.Tensor, captions: object) -> torch.Tensor:
        return -(images[:, 0, 0, :1].float() - torch.arange(len(captions))[None]).abs()  # type: ignore[arg-type]


def test_ceiling_and_floor() -> None:
    captions = [f"caption {number}" for number in range(6)]
    real = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1)
    made = torch.tensor([0, 1, 2, 0, 0, 0], dtype=torch.uint8).view(6, 1, 1, 1)
    found = {value.name: value for value in scores(Reads(), made, real, captions, 100)}
    assert found["r_precision"].value == 0.5
    assert found["r_precision_real"].value == 1.0
    assert found["r_precision_shuffled"].value == pytest.approx(0.1)  # three images are the first of one in five others
    assert not any(value.lower_is_better for value in found.values())
    with pytest.raises(GanLabError, match="are the same"):
        scores(Reads(), made, real, ["one"] * 6, 100)


def test_what_a_matcher_sees() -> None:
    """A step from black to white goes to the right: in each cell that it crosses, all of the gradient."""
    image = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    image[..., 12:] = 255
    histograms = features_of(image)[0, 768:].view(8, 4, 4)
    assert int((histograms > 0).sum()) == 4
    assert_close(histograms[0, :, 1], torch.full((4,), 2.0))
    assert_close(features_of(image)[0, :768].view(3, 16, 16)[0, 0], torch.cat((-torch.ones(6), torch.ones(10))))


def test_shapes_are_matched(tmp_path: Path) -> None:
    """A few steps tell colours and shapes of images apart that the matcher has not seen."""
    data = build_dataset(composed(*SHAPES)["dataset"])
    images, said = torch.from_numpy(data.store.images[:].copy()), captions_of_each(data)
    assert [len(each) for each in said] == [2] * 120
    state = torch.get_rng_state()
    matcher = fitted(images[:100], said[:100], steps=40)
    assert torch.equal(torch.get_rng_state(), state)
    known = sorted({each[0] for each in said})
    right = matcher.similarity(images[100:], known).argmax(1) == torch.tensor(
        [known.index(each[0]) for each in said[100:]]
    )
    assert float(right.float().mean()) > 0.6


def test_of_samples_that_were_asked_for() -> None:
    """Real images as generated ones reach their own ceiling; the other half trains the matcher."""
    data = build_dataset(composed(*SHAPES)["dataset"])
    reference = Reference(data, Pixels())
    measure = RPrecision(steps=30)
    assert measure.why_not(reference) is None
    assert measure.settings_of(reference, 120)["gallery"] == 12
    batch = reference.inputs.batch(reference.places(120))
    accumulator = measure.begin(120)
    accumulator.add(Part(reference.images(120), torch.empty(0), None, None, batch))
    found = {value.name: value.value for value in accumulator.values(reference)}
    assert found["r_precision"] == found["r_precision_real"] > found["r_precision_shuffled"]
    other = RPrecision(steps=30, trained_on="test")
    assert other.others(reference).split == "test"
    assert other.settings_of(reference, 120)["matcher_trained_on"]["split"] == "test"


def test_what_cannot_be() -> None:
    digits = Reference(build_dataset(composed("dataset=digits")["dataset"]), Pixels())
    assert RPrecision().why_not(digits) == "the data has no captions"
    with pytest.raises(ConfigError, match=r"metrics\.r_precision\.gallery"):
        RPrecision(gallery=1)
