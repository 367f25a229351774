"""What figures of several seeds say: means, and by how much one way is better than another, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


class Scores(NamedTuple):
    """Of one classifier on test images: the shares that are right, of all, of each class on average, and of the class
    with the fewest."""

    accuracy: float
    balanced_accuracy: float
    worst_recall: float


class Difference(NamedTuple):
    """A mean over seeds, and the interval that holds the true one with a probability of 95%."""

    mean: float
    low: float
    high: float

    @property
    def is_none(self) -> bool:
        """Whether 0 lies in the interval."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} points, {100 * self.low:+.1f} to {100 * self.high:+.1f}"


def recalls(right: NDArray[np.bool_], labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Of each class the share that is right; nan of a class without images."""
    counts = np.bincount(labels, minlength=classes)
    with np.errstate(invalid="ignore"):
        return np.bincount(labels, right.astype(np.float64), classes) / counts


def scores(right: NDArray[np.bool_], labels: NDArray[np.int64], classes: int) -> Scores:
    """Of the answers to test images."""
    each = recalls(right, labels, classes)
    return Scores(float(right.mean()), float(np.nanmean(each)), float(np.nanmin(each)))


def difference(one: Sequence[float], other: Sequence[float]) -> Difference:
    """How much higher `one` is than `other`, seed by seed, by Student's t for pairs: mean +- t s / sqrt(n), s with
    n - 1. Raises ValueError for fewer than two seeds, or not as many of each."""
    from scipy.special import stdtrit

    if len(one) != len(other) or len(one) < 2:
        raise ValueError(f"{len(one)} and {len(other)} figures are no pairs of at least two seeds")
    apart = np.asarray(one) - np.asarray(other)
    mean, n = float(apart.mean()), len(apart)
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(apart.std(ddof=1)) / math.sqrt(n)
    return Difference(mean, mean - reach, mean + reach)


def sentence(arm: str, base: str, measure: str, found: Difference) -> str:
    """What a difference says in words."""
    if found.is_none:
        return f"{arm}: no difference to {base} in {measure} ({found})"
    return f"{arm}: {'better' if found.mean > 0 else 'worse'} than {base} in {measure} ({found})"
