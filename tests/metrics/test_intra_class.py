"""Intra-class FID: the mean of the classes' own distances."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_lab.metrics import frechet_distance
from gan_lab.metrics.intra_class import intra_class_distance
from tests.metrics.features import gaussians


def test_it_is_the_mean_over_classes() -> None:
    real, fake = gaussians(90, 4)
    ours, theirs = np.arange(90) % 3, np.arange(90) // 30
    each = [frechet_distance(real[ours == label], fake[theirs == label]) for label in range(3)]
    found = intra_class_distance(torch.from_numpy(real), torch.from_numpy(ours), torch.from_numpy(fake), theirs)
    assert found == pytest.approx(np.mean(each), rel=1e-12)


def test_it_sees_what_the_whole_hides() -> None:
    """Classes that are interchanged: the same features as a whole, 2 |m|^2 apart by class."""
    random = np.random.default_rng(0)
    labels = np.arange(2000) % 2
    features = random.normal(size=(2000, 2)) + 3 * labels[:, None]
    assert intra_class_distance(features, labels, features, labels) == pytest.approx(0, abs=1e-9)
    assert intra_class_distance(features, labels, features, 1 - labels) == pytest.approx(2 * 3**2, rel=0.05)


def test_classes_that_are_not_asked_for_do_not_count() -> None:
    real, fake = gaussians(60, 3)
    labels = np.arange(60) % 3
    some = labels < 2
    expected = np.mean([frechet_distance(real[labels == label], fake[labels == label]) for label in range(2)])
    assert intra_class_distance(real, labels, fake[some], labels[some]) == pytest.approx(expected, rel=1e-12)


def test_what_is_refused() -> None:
    real, fake = gaussians(10, 3)
    labels = np.arange(10) % 2
    with pytest.raises(ValueError, match="at least 2 features"):
        intra_class_distance(real, labels, fake, labels + 1)
    with pytest.raises(ValueError, match="as many labels"):
        intra_class_distance(real, labels[:9], fake, labels)
