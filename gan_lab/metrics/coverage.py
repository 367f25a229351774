"""Density and coverage: precision and recall that a few outliers do not decide."""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import as_floats
from gan_lab.metrics.neighbours import radii, within


def density_coverage(real: ArrayLike | Tensor, fake: ArrayLike | Tensor, k: int = 5) -> tuple[float, float]:
    """Naeem et al. 2020 (arXiv:2002.09797, equations 3 and 4). Both look at balls around the `real` features `(n, d)`
    that reach to their k-th nearest neighbours: density is in how many of them a `fake` feature `(m, d)` lies on
    average, divided by k (it may exceed 1), coverage the share of them that hold a fake feature. The border counts.
    """
    first, second = as_floats(real), as_floats(fake)
    counts, holds = within(second, first, radii(first, k))
    return float(counts.mean() / k), float(holds.mean())
