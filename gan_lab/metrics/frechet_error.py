"""The standard error of a Frechet distance, from one set of samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import Floats, Moments, as_floats, frechet_of_moments

GROUPS = 10


class GroupedMoments:
    """Moments of generated features, and of each of ten groups of them, row after row in turn.

    To first order the distance d^2 between N(m1, C1) and N(m2, C2) is an average over the samples behind m2 and C2 (the
    delta method), of

        2 (m2 - m1)^T (x - m2) + (x - m2)^T (I - T) (x - m2),   T = C2^(-1/2) (C2^(1/2) C1 C2^(1/2))^(1/2) C2^(-1/2),

    where I - T is the gradient of tr(C1 + C2 - 2 (C1 C2)^(1/2)) by C2 and T the optimal map from one Gaussian to the
    other (Dowson & Landau 1982). The spread of its means over the groups gives the standard error, so that memory does
    not grow with the number of samples: ten matrices `(d, d)`.

    The error is that of other samples from the same generator, against the same real ones. The bias of a small number
    of samples is not in it: that is why distances at different n are not compared. With few samples it errs on the
    large side: by a tenth at n = 15 d, by a third at n = 2 d.
    """

    def __init__(self) -> None:
        self._groups = [Moments() for _ in range(GROUPS)]
        self._seen = 0

    def add(self, features: ArrayLike | Tensor) -> None:
        """Hear of more features `(n, d)`."""
        rows = as_floats(features)
        for place, group in enumerate(self._groups):
            group.add(rows[(place - self._seen) % GROUPS :: GROUPS])
        self._seen += len(rows)

    def total(self) -> Moments:
        """Of all features."""
        everything = Moments()
        for group in self._groups:
            everything.merge(group)
        return everything

    def distance(self, real: Moments) -> tuple[float, float | None]:
        """The distance to `real` and its standard error, which is None where there are fewer than two features a
        group."""
        fake = self.total()
        value = frechet_of_moments(real, fake)
        if self._seen < 2 * GROUPS:
            return value, None
        slope = np.eye(len(fake.mean)) - _map(real.covariance, fake.covariance)
        means = []
        for group in self._groups:
            away = group.mean - fake.mean
            second = group.scatter / group.count + np.outer(away, away)  # about the mean of all
            means.append(2 * (fake.mean - real.mean) @ away + np.sum(slope * second))
        return value, float(np.std(means, ddof=1) / math.sqrt(GROUPS))


def _map(one: Floats, two: Floats) -> Floats:
    """T of N(0, C2) to N(0, C1), within the directions in which C2 has variance."""
    values, vectors = np.linalg.eigh(two)
    kept = values > values.max(initial=0.0) * len(values) * np.finfo(np.float64).eps
    vectors, roots = vectors[:, kept], np.sqrt(values[kept])
    half, inverse = vectors * roots, vectors / roots
    squares, axes = np.linalg.eigh(half.T @ one @ half)
    mapped: Floats = inverse @ (axes * np.sqrt(squares.clip(min=0))) @ axes.T @ inverse.T
    return mapped
