"""Scores of answers, and differences between pairs, with figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gan_lab.synthetic_data.comparison import Difference, Scores, difference, recalls, scores, sentence

LABELS = np.array([0, 0, 0, 0, 1, 1, 3, 3, 3, 3])
RIGHT = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 0], bool)


def test_scores() -> None:
    """3 of 4, 1 of 2, 1 of 4; of class 2 there is none, and it counts nowhere."""
    assert recalls(RIGHT, LABELS, 5).tolist() == pytest.approx([0.75, 0.5, math.nan, 0.25, math.nan], nan_ok=True)
    assert scores(RIGHT, LABELS, 5) == Scores(0.5, 0.5, 0.25)
    assert scores(RIGHT[:6], LABELS[:6], 2) == Scores(pytest.approx(4 / 6), 0.625, 0.5)


def test_differences_are_paired() -> None:
    """0.1, 0.2 and 0.3 apart: mean 0.2, s = 0.1, t(0.975; 2) = 4.302653."""
    found = difference([0.6, 0.9, 0.4], [0.5, 0.7, 0.1])
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert found == Difference(
        pytest.approx(0.2), pytest.approx(0.2 - reach, rel=1e-6), pytest.approx(0.2 + reach, rel=1e-6)
    )
    assert found.is_none
    five = difference([1.0, 1.1, 0.9, 1.0, 1.0], [0.0] * 5)  # t(0.975; 4) = 2.776445, s^2 = 0.005
    assert five.high - five.mean == pytest.approx(2.776445 * math.sqrt(0.005 / 5), rel=1e-6)
    assert not five.is_none
    same = difference([0.5, 0.25], [0.5, 0.25])
    assert same == Difference(0, 0, 0)
    assert same.is_none


@pytest.mark.parametrize("pairs", [([1.0], [1.0]), ([1.0, 2.0], [1.0])])
def test_what_are_no_pairs(pairs: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="no pairs of at least two seeds"):
        difference(*pairs)


def test_sentences() -> None:
    told = [
        sentence("a", "b", "accuracy", Difference(*each))
        for each in ((0, -0.01, 0.02), (0.05, 0.01, 0.09), (-0.1, -0.2, -0.05))
    ]
    assert told == [
        "a: no difference to b in accuracy (+0.0 points, -1.0 to +2.0)",
        "a: better than b in accuracy (+5.0 points, +1.0 to +9.0)",
        "a: worse than b in accuracy (-10.0 points, -20.0 to -5.0)",
    ]
