"""Precision and recall, density and coverage, memorisation: by hand and against torch-fidelity and prdc."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from gan_lab.metrics import density_coverage, neighbours, precision_recall
from gan_lab.metrics.memorisation import mann_whitney, memorisation
from tests.metrics.features import gaussians

LINE = np.array([[0.0], [1.0], [3.0], [6.0]])


def test_radii_by_hand() -> None:
    assert neighbours.radii(LINE, 1).tolist() == [1, 1, 2, 3]
    assert neighbours.radii(LINE, 2).tolist() == [3, 2, 3, 5]
    with pytest.raises(ValueError, match="k=4"):
        neighbours.radii(LINE, 4)


def test_by_hand() -> None:
    """Balls of k=1: [-1,1], [0,2], [1,5], [3,9]; the border counts."""
    fake = np.array([[2.0], [9.0], [9.5], [4.0]])  # of k=1: radii 2, .5, .5, 2
    assert precision_recall(LINE, fake, k=1) == (0.75, 1.0)  # 9.5 is out; 0 and 6 lie on the borders of 2 and 4
    assert density_coverage(LINE, fake, k=1) == ((2 + 1 + 0 + 2) / 4, 0.75)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = gaussians(60, 5)
    whole = precision_recall(real, fake), density_coverage(real, fake), memorisation(real, None, fake)
    monkeypatch.setattr(neighbours, "ROOM", 7 * 60)
    assert whole == (precision_recall(real, fake), density_coverage(real, fake), memorisation(real, None, fake))


def test_torch_fidelity() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_prc")
    real, fake = gaussians(400, 8)
    theirs = fidelity.prc_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), prc_neighborhood=3, prc_batch_size=100, verbose=False
    )
    precision, recall = precision_recall(real, fake)
    assert precision == pytest.approx(theirs["precision"], rel=1e-6)
    assert recall == pytest.approx(theirs["recall"], rel=1e-6)
    assert 0.1 < precision < 0.99
    assert 0.1 < recall < 0.99


def test_prdc() -> None:
    prdc = pytest.importorskip("prdc")
    real, fake = gaussians(400, 8)
    theirs = prdc.compute_prdc(real, fake, nearest_k=5)
    assert precision_recall(real, fake, k=5) == pytest.approx((theirs["precision"], theirs["recall"]), rel=1e-9)
    assert density_coverage(real, fake, k=5) == pytest.approx((theirs["density"], theirs["coverage"]), rel=1e-9)


def test_duplicates() -> None:
    """50 points four times each are equal to themselves, far from the origin too; with `<` all would be 0."""
    points = np.repeat(np.random.default_rng(0).normal(size=(50, 8)) + 1000, 4, axis=0)
    assert precision_recall(points, points, k=3) == (1.0, 1.0)
    assert density_coverage(points, points, k=3)[1] == 1.0


def test_borders_count_however_they_round() -> None:
    """In another order: each ball holds its own feature and k more, the last of them on its border."""
    random = np.random.default_rng(0)
    points = random.normal(size=(500, 16))
    for k in (1, 3):
        assert density_coverage(points, random.permutation(points), k=k) == pytest.approx(((k + 1) / k, 1.0), rel=1e-12)


def test_mann_whitney() -> None:
    """z of scipy's U without its continuity correction, ties among them."""
    random = np.random.default_rng(0)
    one, other = random.integers(0, 8, 40).astype(float), random.integers(2, 9, 30).astype(float)
    found = mannwhitneyu(one, other, method="asymptotic", use_continuity=False)
    n, m = 40, 30
    _, counts = np.unique(np.concatenate([one, other]), return_counts=True)
    spread = (n * m / 12 * (71 - (counts**3 - counts).sum() / (70 * 69))) ** 0.5
    assert mann_whitney(one, other) == pytest.approx((found.statistic - n * m / 2) / spread, rel=1e-12)


def test_copies_are_told() -> None:
    random = np.random.default_rng(0)
    train, held_out, fresh = random.normal(size=(3, 300, 6))
    assert abs(memorisation(train, held_out, fresh)) < 3
    assert abs(memorisation(train, None, fresh)) < 3
    assert memorisation(train, held_out, train + 1e-3) < -10
    assert memorisation(train, None, fresh + 5) > 10
