"""The Inception Score in closed form and against torch-fidelity."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_lab.metrics import inception_score
from gan_lab.metrics.class_scores import ScoreSums


def some(n: int = 103, k: int = 7) -> np.ndarray:
    logits = 2 * np.random.default_rng(0).normal(size=(n, k))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_closed_forms() -> None:
    """All classes alike and each image sure: the number of classes. All images alike: 1."""
    assert inception_score(np.eye(5)[np.arange(50) % 5], splits=10) == pytest.approx((5.0, 0.0))
    assert inception_score(np.tile(some(1), (20, 1)), splits=2) == pytest.approx((1.0, 0.0))


def test_directly() -> None:
    rows = some(100)
    parts = [rows[start : start + 10] for start in range(0, 100, 10)]
    expected = [np.exp((p * np.log(p / p.mean(0))).sum(1).mean()) for p in parts]
    assert inception_score(rows) == pytest.approx((np.mean(expected), np.std(expected)), rel=1e-12)


def test_streamed() -> None:
    rows = some()
    sums = ScoreSums(103, 10)
    for part in np.split(rows, [1, 50, 51]):
        sums.add(part)
    assert sums.score() == pytest.approx(inception_score(rows), rel=1e-12)


def test_torch_fidelity() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_isc")
    logits = torch.from_numpy(3 * np.random.default_rng(1).normal(size=(97, 9)))
    theirs = fidelity.isc_features_to_metric(logits, splits=10, shuffle=False)
    mean, std = inception_score(logits.softmax(1))
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-9)
    assert std == pytest.approx(theirs["inception_score_std"], rel=1e-9)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="splits"):
        inception_score(some(5))
    with pytest.raises(ValueError, match="sum to 1"):
        inception_score(np.ones((20, 3)))
    with pytest.raises(ValueError, match="0 of 20"):
        ScoreSums(20).score()
