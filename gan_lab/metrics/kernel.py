"""Kernel distance: the squared maximum mean discrepancy under a polynomial kernel, KID of Inception's features."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import Floats, as_floats

log = logging.getLogger(__name__)

Kernel = Callable[[Floats, Floats], Floats]


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
    """The unbiased estimate of MMD^2 (Binkowski et al. 2018, arXiv:1801.01401, section 4; Gretton et al. 2012, lemma
    6), the mean over `subsets` random subsets of both sides, and its standard error.

    k(x, y) = (gamma x.y + coef0)^degree, gamma 1/d unless given. Unlike FID it has no bias for few samples, and may be
    below 0. The error is that of another draw of the smaller side's n features and of the subsets, with s the standard
    deviation over subsets of b: s^2 (b / (n - b) + 1 / subsets), the jackknife that leaves out n - b (Shao & Wu 1989)
    and the chance of the subsets. Subsets of one set are not independent, so s / sqrt(subsets), as is often given,
    promises too much. Where b is more than half of n, s is taken over subsets of half; nan for n < 4.
    `subset_size` is lowered, with a warning, to what there is. Raises ValueError for fewer than two features on a side.
    """
    first, second = as_floats(real), as_floats(fake)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"features of {first.shape[1]} and of {second.shape[1]} dimensions cannot be compared")
    fewest = min(len(first), len(second))
    if min(fewest, subset_size) < 2:
        raise ValueError(f"a kernel distance needs at least 2 features on each side, not {min(fewest, subset_size)}")
    if subset_size > fewest:
        log.warning("kernel distance: subsets of %d features, for %d are too many", fewest, subset_size)
        subset_size = fewest
    kernel = partial(_polynomial, degree=degree, gamma=1 / first.shape[1] if gamma is None else gamma, coef0=coef0)
    random = np.random.RandomState(seed)
    found = _over_subsets(first, second, kernel, subsets, subset_size, random)
    part = min(subset_size, fewest // 2)
    if part < 2:
        return float(found.mean()), math.nan
    of_parts = found if part == subset_size else _over_subsets(first, second, kernel, subsets, part, random)
    return float(found.mean()), float(of_parts.std() * math.sqrt(part / (fewest - part) + 1 / subsets))


def _over_subsets(
    first: Floats, second: Floats, kernel: Kernel, subsets: int, size: int, random: np.random.RandomState
) -> Floats:
    """The discrepancy of each of some random subsets, drawn in torch-fidelity's order, whose values these then are."""
    found = np.empty(subsets)
    for index in range(subsets):
        one = first[random.choice(len(first), size, replace=False)]
        two = second[random.choice(len(second), size, replace=False)]
        found[index] = _discrepancy(one, two, kernel)
    return found


def _discrepancy(one: Floats, two: Floats, kernel: Kernel) -> float:
    """The unbiased MMD^2 of as many features on both sides."""
    within_one, within_two, across = kernel(one, one), kernel(two, two), kernel(one, two)
    size = len(one)
    within = within_one.sum() - np.trace(within_one) + within_two.sum() - np.trace(within_two)
    return float(within / (size * (size - 1)) - 2 * across.mean())


def _polynomial(one: Floats, two: Floats, degree: int, gamma: float, coef0: float) -> Floats:
    base: Floats = one @ two.T
    base *= gamma
    base += coef0
    power: Floats = base.copy()
    for _ in range(degree - 1):
        power *= base  # many times quicker than **
    return power
