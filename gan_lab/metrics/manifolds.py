"""Improved precision and recall: how much of what is made looks real, how much of what is real could be made."""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import as_floats
from gan_lab.metrics.neighbours import radii, within


def precision_recall(real: ArrayLike | Tensor, fake: ArrayLike | Tensor, k: int = 3) -> tuple[float, float]:
    """Kynkaanniemi et al. 2019 (arXiv:1904.06991, equations 1 and 2), each in [0, 1]: the share of `fake` `(m, d)`
    inside the manifold of `real` `(n, d)`, and the other way round. A manifold is the union of balls around its
    features that reach to their k-th nearest neighbours. A point on the border is inside (`<=`, as in the paper), so
    that sets with duplicates are found equal to themselves.
    """
    first, second = as_floats(real), as_floats(fake)
    precision = within(second, first, radii(first, k))[0] > 0
    recall = within(first, second, radii(second, k))[0] > 0
    return float(precision.mean()), float(recall.mean())
