"""Kernel distance: the squared maximum mean discrepancy under a polynomial kernel, KID where features are Inception's."""

from __future__ import annotations

import logging
import math

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import Floats, as_floats

log = logging.getLogger(__name__)


def kernel_distance(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    subsets: int = 100,
    subset_size: int = 1000,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    seed: int = 2020,
) -> tuple[float, float]:
    """The unbiased estimate of MMD^2 (Binkowski et al. 2018, arXiv:1801.01401, section 4; Gretton et al. 2012, lemma 6),
    the mean over `subsets` random subsets of both sides, and its standard error.

    k(x, y) = (gamma x.y + coef0)^degree, gamma 1/d unless given. Unlike FID it has no bias for few samples, and may be
    below 0. The spread is the standard deviation over subsets divided by the root of how many of them would be disjoint
    (n / subset_size, at most `subsets`): subsets of one set are not independent, so dividing by the root of their number,
    as is often done, promises too much. `subset_size` is lowered, with a warning, to what there is. Raises ValueError
    for fewer than two features on a side.
    """
    first, second = as_floats(real), as_floats(fake)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"features of {first.shape[1]} and of {second.shape[1]} dimensions cannot be compared")
    fewest = min(len(first), len(second))
    if fewest < 2:
        raise ValueError(f"a kernel distance needs at least 2 features on each side, not {fewest}")
    if subset_size > fewest:
        log.warning("kernel distance: subsets of %d features, for %d are too many", fewest, subset_size)
        subset_size = fewest
    scale = 1 / first.shape[1] if gamma is None else gamma
    random = np.random.RandomState(seed)  # the order of draws of torch-fidelity, whose values these are
    found = np.empty(subsets)
    for index in range(subsets):
        one = first[random.choice(len(first), subset_size, replace=False)]
        two = second[random.choice(len(second), subset_size, replace=False)]
        found[index] = _discrepancy(one, two, lambda a, b: (scale * (a @ b.T) + coef0) ** degree)
    disjoint = min(max(fewest / subset_size, 1.0), subsets)
    return float(found.mean()), float(found.std() / math.sqrt(disjoint))


def _discrepancy(one: Floats, two: Floats, kernel: object) -> float:
    """The unbiased MMD^2 of as many features on both sides."""
    assert callable(kernel)
    within_one, within_two, across = kernel(one, one), kernel(two, two), kernel(one, two)
    size = len(one)
    within = within_one.sum() - np.trace(within_one) + within_two.sum() - np.trace(within_two)
    return float(within / (size * (size - 1)) - 2 * across.mean())
