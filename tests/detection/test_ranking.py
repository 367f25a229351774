"""What scores are worth, by counting pairs and thresholds by hand, ties among them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from gan_lab.detection.ranking import auroc, average_precision, fpr_at_tpr, interval, rank, threshold_of


def test_auroc_counts_pairs_and_halves_of_equal_ones() -> None:
    """12 pairs: 3 is above 1, 2, 2 and equal to 3; 2 is above 1, equal to 2 and 2; 9 is above all four."""
    assert auroc(np.array([1.0, 2, 2, 3]), np.array([3.0, 2, 9])) == pytest.approx((3.5 + 2 + 4) / 12)
    assert auroc(np.zeros(3), np.zeros(2)) == 0.5
    assert auroc(np.array([0.0, 1]), np.array([2.0])) == 1.0
    assert auroc(np.array([2.0]), np.array([0.0, 1])) == 0.0


def test_auroc_is_mann_and_whitneys_u() -> None:
    random = np.random.default_rng(0)
    normal, anomalous = random.integers(0, 20, 300).astype(float), random.integers(5, 25, 200).astype(float)
    u = mannwhitneyu(anomalous, normal).statistic
    assert auroc(normal, anomalous) == pytest.approx(u / (300 * 200), abs=1e-12)


def test_average_precision_by_hand() -> None:
    """From the top: 4 is anomalous (precision 1, recall 1/3); both 3s at once (2 of 3, recall 2/3); 2 is normal; 1 is
    anomalous (3 of 5, recall 1)."""
    normal, anomalous = np.array([3.0, 2]), np.array([4.0, 3, 1])
    assert average_precision(normal, anomalous) == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3 + 1 / 3 * 3 / 5)
    assert average_precision(np.ones(6), np.ones(2)) == pytest.approx(2 / 8)


def test_false_alarms_where_nearly_all_are_found() -> None:
    normal, anomalous = np.arange(10.0), np.array([20.0] * 19 + [6.5])
    assert fpr_at_tpr(normal, anomalous) == 0.0  # 19 of 20 are enough
    assert fpr_at_tpr(normal, anomalous, 0.951) == pytest.approx(3 / 10)  # 7, 8 and 9 are above 6.5
    assert fpr_at_tpr(normal, np.array([9.0])) == pytest.approx(1 / 10)  # an equal one is an alarm


def test_the_interval_holds_the_figure_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(1)
    normal, anomalous = random.normal(size=200), random.normal(1, size=200)
    found = rank(normal, anomalous, 200)
    assert found.low < found.auroc < found.high
    assert (found.low, found.high) == interval(auroc, normal, anomalous, 200)
    deviation = np.sqrt(auroc(normal, anomalous) * (1 - auroc(normal, anomalous)) / 200)  # at most
    assert found.high - found.low < 4 * deviation


def test_the_threshold_is_a_score_of_theirs() -> None:
    scores = np.arange(1.0, 21)
    assert threshold_of(scores, 0.95) == 19
    assert (scores <= threshold_of(scores, 0.95)).mean() == 0.95
    assert threshold_of(scores, 1.0) == 20


@pytest.mark.parametrize(
    ("normal", "anomalous", "told"),
    [
        (np.array([]), np.ones(2), "no normal"),
        (np.ones(2), np.array([]), "no anomalous"),
        (np.ones(2), np.array([np.nan, 1]), "1 of the anomalous scores are not finite"),
    ],
)
def test_scores_that_cannot_be_ranked(normal: np.ndarray, anomalous: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rank(normal, anomalous)
