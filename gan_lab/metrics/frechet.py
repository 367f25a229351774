"""The Frechet distance between two sets of features, each taken for a Gaussian: FID where the features are Inception's.

Heusel et al. 2017 (arXiv:1706.08500, equation 6), Dowson & Landau 1982:

    d^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

The trace of the root is the sum of the roots of the eigenvalues of C1 C2. With C1 = A A^T those are the eigenvalues of
the symmetric A^T C2 A, so no matrix root is taken and nothing becomes complex. Directions in which C1 has no variance
are left out, and C1 is that of fewer samples: an eigenvalue that is 0 but for rounding would count with its root. That
makes it right, and quicker, for fewer samples than dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Floats = NDArray[np.float64]


def frechet_distance(real: ArrayLike | Tensor, fake: ArrayLike | Tensor) -> float:
    """The squared distance d^2 between features `(n, d)` and `(m, d)`, as everybody reports it; at least 0.

    Raises ValueError for features that are not finite, fewer than two of them, and different d.
    """
    first, second = Moments(), Moments()
    first.add(real)
    second.add(fake)
    return frechet_of_moments(first, second)


class Moments:
    """Number, mean `(d,)` and covariance `(d, d)` of features that come in parts, in float64 (Chan, Golub & LeVeque
    1983): memory does not grow with their number.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Floats = np.zeros(0)
        self.scatter: Floats = np.zeros((0, 0))  # the sum of (x - mean)(x - mean)^T

    def add(self, features: ArrayLike | Tensor) -> None:
        """Hear of more features `(n, d)`."""
        rows = as_floats(features)
        if not len(rows):
            return
        part = Moments()
        part.count, part.mean = len(rows), rows.mean(0)
        centred = rows - part.mean
        part.scatter = centred.T @ centred
        self.merge(part)

    def merge(self, part: Moments) -> None:
        """Hear of features that others have heard of."""
        if not part.count:
            return
        if not self.count:
            self.mean, self.scatter = np.zeros_like(part.mean), np.zeros_like(part.scatter)
        if len(part.mean) != len(self.mean):
            raise ValueError(f"features of {len(part.mean)} dimensions among those of {len(self.mean)}")
        away, total = part.mean - self.mean, self.count + part.count
        self.scatter += part.scatter + np.outer(away, away) * (self.count * part.count / total)
        self.mean = self.mean + away * (part.count / total)
        self.count = total

    @property
    def covariance(self) -> Floats:
        """Unbiased: divided by n - 1. Raises ValueError for fewer than two features."""
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 features, not {self.count}")
        covariance: Floats = self.scatter / (self.count - 1)
        return covariance

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays."""
        return {"count": np.array(self.count), "mean": self.mean, "scatter": self.scatter}

    @classmethod
    def of(cls, state: Mapping[str, NDArray[Any]]) -> Moments:
        """From `state()`."""
        moments = cls()
        moments.count = int(state["count"])
        moments.mean, moments.scatter = np.asarray(state["mean"], np.float64), np.asarray(state["scatter"], np.float64)
        return moments


def frechet_of_moments(first: Moments, second: Moments) -> float:
    """`frechet_distance` from means and covariances."""
    one, two = first.covariance, second.covariance
    if one.shape != two.shape:
        raise ValueError(f"features of {len(one)} and of {len(two)} dimensions cannot be compared")
    apart = first.mean - second.mean
    fewer, more = (one, two) if first.count <= second.count else (two, one)
    distance = apart @ apart + np.trace(one) + np.trace(two) - 2 * trace_of_root(fewer, more)
    return max(float(distance), 0.0)


def trace_of_root(one: Floats, two: Floats) -> float:
    """tr((C1 C2)^(1/2)) of two covariances `(d, d)`."""
    values, vectors = np.linalg.eigh(one)
    kept = values > values.max(initial=0.0) * len(values) * np.finfo(np.float64).eps
    half = vectors[:, kept] * np.sqrt(values[kept])  # C1 = half half^T
    return float(np.sqrt(np.linalg.eigvalsh(half.T @ two @ half).clip(min=0)).sum())


def as_floats(features: ArrayLike | Tensor) -> Floats:
    """Features `(n, d)` as a float64 array. Raises ValueError for any other shape, and for what is not finite."""
    array = features.detach().cpu().double().numpy() if isinstance(features, Tensor) else features
    floats: Floats = np.asarray(array, np.float64)
    if floats.ndim != 2:
        raise ValueError(f"features must have the shape (n, d), not {floats.shape}")
    if not np.isfinite(floats).all():
        raise ValueError("features must be finite")
    return floats
