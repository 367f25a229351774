"""The classification accuracy score: what is learnt from real images, from wrong labels, from parts of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_lab.errors import ConfigError
from gan_lab.features.classifier import Classifier
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.classification_accuracy import ClassificationAccuracy, classification_accuracy
from gan_lab.metrics.evaluate import applicable, measure
from gan_lab.metrics.measures import FrechetDistance, IntraClassDistance
from gan_lab.metrics.reference import Reference
from tests.metrics.test_evaluation import Copies, data, without_labels
from tests.metrics.test_held_out import halves

CPU = torch.device("cpu")


def reference_of(name: str) -> Reference:
    found = data(name)
    extractor = Pixels()
    extractor.prepare(found, CPU)
    return Reference(found, extractor)


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    store = data().store
    return torch.from_numpy(np.array(store.images)), torch.from_numpy(np.array(store.labels))


def test_real_images_give_the_classifiers_own_accuracy(digits: tuple[torch.Tensor, torch.Tensor]) -> None:
    """The same images, steps, seed and share of them: as good, but for the order of the batches."""
    images, labels = digits
    extractor = Classifier(steps=50, size=8)
    extractor.prepare(data(), CPU)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    held, seen = order[: len(order) // 10], order[len(order) // 10 :]
    found = classification_accuracy(images[held], labels[held], images[seen], labels[seen], 10, steps=50, size=8)
    assert extractor.accuracy == pytest.approx(found, abs=0.03)
    assert found > 0.9


def test_wrong_labels_teach_nothing(digits: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Shuffled labels are chance; labels one too high teach exactly that."""
    images, labels = digits
    seen, held = slice(0, 1200), slice(1200, None)
    shuffled = labels[seen][torch.randperm(1200, generator=torch.Generator().manual_seed(0))]
    chance = classification_accuracy(images[held], labels[held], images[seen], shuffled, 10, steps=30, size=8)
    assert chance == pytest.approx(0.1, abs=0.08)
    shifted = (labels[seen] + 1) % 10
    for asked, least, most in ((labels[held], 0, 0.03), ((labels[held] + 1) % 10, 0.85, 1)):
        found = classification_accuracy(images[held], asked, images[seen], shifted, 10, steps=50, size=8)
        assert least <= found <= most


def test_all_parts_must_be_right() -> None:
    """Of two gray parts one is always told and the other says nothing: right in half of the images."""
    random = np.random.default_rng(0)
    first, second = random.integers(0, 2, (2, 800))
    images = np.full((800, 2, 8, 8), 128, np.uint8)
    images[:, 0] = (255 * first)[:, None, None]
    images[:, 1] = (255 * (first ^ second))[:, None, None]  # a coin, whatever the second class is
    labels = torch.from_numpy(2 * first + second)
    both = classification_accuracy(*2 * (torch.from_numpy(images), labels), 2, parts=2, steps=30)
    assert both == pytest.approx(0.25 + 0.25, abs=0.06)


def test_what_does_not_fit(digits: tuple[torch.Tensor, torch.Tensor]) -> None:
    images, labels = digits
    with pytest.raises(ValueError, match="as many"):
        classification_accuracy(images, labels[1:], images, labels, 10)
    with pytest.raises(ValueError, match="of 9 classes"):
        classification_accuracy(images, labels, images, labels, 9)
    for setting in ({"steps": 0}, {"most": 0}, {"size": 2.5}):
        with pytest.raises(ConfigError, match=f"metrics.cas.{next(iter(setting))}"):
            ClassificationAccuracy(**setting)


def test_the_measure_and_its_card(digits: tuple[torch.Tensor, torch.Tensor]) -> None:
    """The pure function on the same images; repeatable; nothing of the global generator is used."""
    images, labels = digits
    reference = reference_of("digits")
    cas = ClassificationAccuracy(steps=20, most=300)
    before = torch.random.get_rng_state()
    (figure,) = measure(Copies(reference.data.store), reference, {"cas": cas}, 500, 0, {})
    assert torch.equal(before, torch.random.get_rng_state())
    assert figure.name == "cas/classifier-500"
    assert not figure.lower_is_better
    chosen = reference.images(300), reference.labels(300)
    assert figure.value == classification_accuracy(*chosen, images[:500], labels[:500], 10, steps=20)
    settings = {"steps": 20, "seed": 0, "most": 300, "size": 32, "version": 1, "tested_on": "the data"}
    assert figure.card["settings"] == settings


def test_large_images_are_kept_small(digits: tuple[torch.Tensor, torch.Tensor]) -> None:
    """What is made smaller as it comes is what is made smaller in the end."""
    images, labels = digits
    reference = reference_of("digits")
    cas = ClassificationAccuracy(steps=5, most=100, size=8)
    (figure,) = measure(Copies(reference.data.store), reference, {"cas": cas}, 200, 0, {})
    real, real_labels = reference.images(100), reference.labels(100)
    whole = classification_accuracy(real, real_labels, images[:200], labels[:200], 10, steps=5, size=8)
    assert figure.value == pytest.approx(whole, abs=0.02)


def test_tested_on_held_out_images() -> None:
    """A split of the dataset; the card says which."""
    reference = halves()
    cas = ClassificationAccuracy(steps=50, size=8, held_out="test")
    taken, refused = applicable({"cas": cas}, reference)
    assert not refused
    (figure,) = measure(Copies(reference.data.store), reference, taken, 899, 0, {})
    tested = figure.card["settings"]["tested_on"]
    store = reference.held_out("test", "metrics.cas.held_out").data.store
    assert (tested["split"], tested["count"], tested["sha256"]) == ("test", 898, store.sha256[:16])
    assert figure.value > 0.85


def test_stacked_digits() -> None:
    """A thousand classes, told by three digits each."""
    reference = reference_of("stacked_digits")
    taken, refused = applicable({"cas": ClassificationAccuracy(steps=30, most=200, size=8)}, reference)
    assert not refused
    (figure,) = measure(Copies(reference.data.store), reference, taken, 1000, 0, {})
    assert 0.4 < figure.value <= 1


def test_generators_without_labels() -> None:
    """They are refused where the generator is known, and give no figure where it is not."""
    reference = reference_of("digits")
    sampler = Copies(reference.data.store, labelled=False)
    measures = {"cas": ClassificationAccuracy(steps=1), "intra": IntraClassDistance(), "fid": FrechetDistance()}
    taken, refused = applicable(measures, reference, sampler)
    assert refused == dict.fromkeys(("cas", "intra"), "the generator takes no labels")
    assert list(taken) == ["fid"]
    assert measure(sampler, reference, {"cas": measures["cas"]}, 50, 0, {}) == []
    assert applicable(measures, reference, Copies(reference.data.store))[1] == {}


def test_data_it_cannot_be_taken_of() -> None:
    points = reference_of("ring")
    assert ClassificationAccuracy().why_not(points) == "the data is points"
    unlabelled = Reference(without_labels(data()), points.extractor)
    assert ClassificationAccuracy().why_not(unlabelled) == "the data has no classes"
