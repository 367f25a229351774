"""Nearest neighbours among features, a block at a time: memory grows with n, never with n^2."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gan_lab.metrics.frechet import Floats

ROOM = 2**22  # distances at a time: 32 MiB
BORDER = 1 + 1e-9  # how far a border reaches: that of a ball is a distance too, and rounds otherwise from elsewhere


def distances(queries: Floats, features: Floats) -> Iterator[tuple[slice, Floats]]:
    """Euclidean distances from some queries at a time to all features: `(rows, (len(rows), n))`.

    |x - y|^2 = |x|^2 + |y|^2 - 2 x.y loses digits where x and y are close and far from the origin, so both are moved to
    the features' mean first; equal rows come out with a distance of exactly 0.
    """
    centre = features.mean(0)
    moved, others = queries - centre, features - centre
    squares, own = (np.einsum("ij,ij->i", rows, rows) for rows in (others, moved))
    step = max(ROOM // max(len(features), 1), 1)
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        found, size = moved[rows] @ others.T, own[rows, None] + squares
        found *= -2
        found += size
        size *= 1e-12
        found[found < size] = 0.0
        yield rows, np.sqrt(found, out=found)


def radii(features: Floats, k: int) -> Floats:
    """The distance of each feature to its k-th nearest neighbour among the others, `(n,)`.

    Raises ValueError unless there are more than k features.
    """
    if not 1 <= k < len(features):
        raise ValueError(f"k={k}: must lie between 1 and the number of features less one, {len(features) - 1}")
    found = np.empty(len(features))
    for rows, apart in distances(features, features):
        found[rows] = np.partition(apart, k, axis=1)[:, k]  # place 0 is the feature itself
    return found


def nearest(queries: Floats, features: Floats, own: NDArray[np.int64] | None = None) -> Floats:
    """The distance of each query to its nearest feature; `own` are the places `(len(queries),)` of queries that are
    features themselves, which do not count."""
    found = np.empty(len(queries))
    for rows, apart in distances(queries, features):
        if own is not None:
            apart[np.arange(len(apart)), own[rows]] = np.inf
        found[rows] = apart.min(1)
    return found


def within(queries: Floats, features: Floats, radius: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """In how many of the features' balls each query lies, and which balls hold a query; the border counts."""
    counts = np.zeros(len(queries), np.int64)
    holds = np.zeros(len(features), np.bool_)
    reach = radius * BORDER
    for rows, apart in distances(queries, features):
        inside = apart <= reach
        counts[rows] = inside.sum(1)
        holds |= inside.any(0)
    return counts, holds
