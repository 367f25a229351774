"""Whether a generator repeats its training images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import Floats, as_floats
from gan_lab.metrics.neighbours import nearest


def memorisation(train: ArrayLike | Tensor, held_out: ArrayLike | Tensor | None, fake: ArrayLike | Tensor) -> float:
    """How the distances from `fake` features to their nearest training features compare with those from `held_out`
    ones: the z-score of Mann & Whitney's U, after Meehan, Chaudhuri & Dasgupta 2020 (arXiv:2004.05675, section 4, with
    one cell). 0: as near as other real images; far below 0 (-3 and less): copies; far above: nothing like the data.

    Without held-out images as many training images as there are fakes, evenly spread, are asked for their nearest
    others, which is a little nearer than held-out ones would be, since they come from the same files.
    """
    seen, made = as_floats(train), as_floats(fake)
    if held_out is None:
        chosen = np.linspace(0, len(seen) - 1, min(len(made), len(seen))).astype(np.int64)
        real = nearest(seen[chosen], seen, own=chosen)
    else:
        real = nearest(as_floats(held_out), seen)
    return mann_whitney(nearest(made, seen), real)


def mann_whitney(one: Floats, other: Floats) -> float:
    """z of the number of pairs in which `one` is the larger (ties count half), by the normal approximation with its
    correction for ties."""
    n, m = len(one), len(other)
    both = np.concatenate([one, other])
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)]  # of ties their mean
    statistic = ranks[:n].sum() - n * (n + 1) / 2
    total = n + m
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (total * (total - 1))
    variance = n * m / 12 * (total + 1 - ties)
    return float((statistic - n * m / 2) / math.sqrt(variance)) if variance > 0 else 0.0
