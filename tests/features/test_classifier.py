"""A classifier that knows nothing is none: random features take its place, in words, and nothing is kept."""

from __future__ import annotations

import copy
import logging
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_lab.data.dataset import Dataset
from gan_lab.features import automatic, classifier
from gan_lab.features.automatic import Automatic
from gan_lab.features.classifier import Classifier
from gan_lab.features.fitting_classifier import is_chance
from gan_lab.features.random_convolutions import RandomConvolutions
from tests.metrics.test_evaluation import CPU, data


def labelled(n: int, classes: int, name: str) -> Dataset:
    """Noise of the digits' shape, whose labels say nothing about it."""
    random = np.random.default_rng(0)
    found = copy.copy(data())
    found.store = copy.copy(found.store)
    names = [str(number) for number in range(classes)]
    found.store.card = {**found.store.card, "count": n, "sha256": name, "classes": names, "name": name}
    found.store.images = random.integers(0, 256, (n, 1, 16, 16), dtype=np.uint8)
    found.store.labels = random.integers(0, classes, n)
    return found


@pytest.mark.parametrize(("n", "classes"), [(16, 4), (99, 2), (290, 30)])
def test_too_few_images_are_not_trained_on(
    n: int, classes: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(classifier, "fitted", None)
    extractor = Classifier()
    extractor.prepare(labelled(n, classes, f"few{n}"), CPU)
    assert isinstance(extractor.settled(), RandomConvolutions)
    images = torch.zeros(2, 1, 16, 16, dtype=torch.uint8)
    assert torch.equal(extractor(images).features, extractor.settled()(images).features)
    assert f"{n} images in {classes} classes are too few for a classifier; random features" in caplog.text


def test_no_better_than_chance_is_not_kept(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(automatic, "Classifier", partial(Classifier, steps=5))
    found, extractor = labelled(300, 3, "noise"), Automatic()
    trained = Classifier(steps=5)
    trained.prepare(found, CPU)
    assert isinstance(trained.settled(), RandomConvolutions)
    assert "no better than chance" in caplog.text
    assert not list(root.rglob("*.pt"))
    found.store.labels[:] = 0  # whoever names the commonest class is always right
    extractor.prepare(found, CPU)
    assert isinstance(extractor.settled(), RandomConvolutions)
    assert not list(root.rglob("*.pt"))


def test_one_that_an_earlier_version_has_kept_goes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = data()
    kept = Classifier(steps=30)
    kept.prepare(found, CPU)
    (path,) = root.rglob("classifier-*.pt")
    state = torch.load(path, weights_only=True)
    torch.save({**state, "accuracy": 0.1}, path)
    again = Classifier(steps=30)
    again.prepare(found, CPU)
    assert isinstance(again.settled(), RandomConvolutions)
    assert not path.exists()


def test_chance_by_hand() -> None:
    assert is_chance(0.5, 0.5, 100)
    assert is_chance(0.6, 0.5, 100)  # two standard deviations
    assert not is_chance(0.61, 0.5, 100)
    assert is_chance(1.0, 1.0, 10)
