"""What scores are worth that shall tell anomalous pictures from normal ones: larger = more anomalous."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


class Ranking(NamedTuple):
    """All three from 0 to 1; `low` and `high` are the ends of an interval around `auroc`."""

    auroc: float
    auprc: float
    fpr95: float
    low: float
    high: float


def rank(normal: Scores, anomalous: Scores, repeats: int = 1000, seed: int = 0) -> Ranking:
    """All of it, with a 95% interval of `auroc` (see `interval`). Raises ValueError for scores that are not finite, and
    where there are none of either kind."""
    for name, scores in (("normal", normal), ("anomalous", anomalous)):
        if not len(scores):
            raise ValueError(f"there are no {name} scores")
        if not np.isfinite(scores).all():
            raise ValueError(f"{int((~np.isfinite(scores)).sum())} of the {name} scores are not finite")
    low, high = interval(auroc, normal, anomalous, repeats, seed)
    return Ranking(
        auroc(normal, anomalous), average_precision(normal, anomalous), fpr_at_tpr(normal, anomalous), low, high
    )


def auroc(normal: Scores, anomalous: Scores) -> float:
    """How often an anomalous score is above a normal one, where equal scores count half: the area under the ROC curve,
    and Mann and Whitney's U over the number of pairs."""
    ordered = np.sort(normal)
    below, up_to = (np.searchsorted(ordered, anomalous, side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(normal)))


def average_precision(normal: Scores, anomalous: Scores) -> float:
    """The area under the curve of precision over recall, anomalous being what is sought: the sum over thresholds of
    (R_i - R_{i-1}) P_i, as scikit-learn has it; equal scores are one threshold."""
    found, false = _above_thresholds(normal, anomalous)
    recall = found / len(anomalous)
    return float((np.diff(recall, prepend=0.0) * found / (found + false)).sum())


def fpr_at_tpr(normal: Scores, anomalous: Scores, tpr: float = 0.95) -> float:
    """The smallest share of normal pictures that is taken for anomalous where at least the share `tpr` of the anomalous
    ones is found."""
    found, false = _above_thresholds(normal, anomalous)
    first = int(np.searchsorted(found, np.ceil(tpr * len(anomalous) - 1e-9)))
    return float(false[first] / len(normal))


def _above_thresholds(normal: Scores, anomalous: Scores) -> tuple[Scores, Scores]:
    """How many anomalous and normal scores are at or above each threshold, from the highest score down."""
    thresholds = np.unique(np.concatenate((normal, anomalous)))[::-1]
    counts = [len(each) - np.searchsorted(np.sort(each), thresholds, "left") for each in (anomalous, normal)]
    return counts[0].astype(np.float64), counts[1].astype(np.float64)


def interval(
    of: Callable[[Scores, Scores], float],
    normal: Scores,
    anomalous: Scores,
    repeats: int = 1000,
    seed: int = 0,
    share: float = 0.95,
) -> tuple[float, float]:
    """Where the middle `share` of what `of` says of `repeats` resamples lies (the bootstrap's percentiles): pictures
    drawn with replacement, as many normal and as many anomalous as there are. It tells of the pictures that were tested
    with, not of other trainings."""
    random = np.random.default_rng(seed)
    found = [of(random.choice(normal, len(normal)), random.choice(anomalous, len(anomalous))) for _ in range(repeats)]
    low, high = np.quantile(found, ((1 - share) / 2, (1 + share) / 2))
    return float(low), float(high)


def threshold_of(normal: Scores, quantile: float = 0.95) -> float:
    """The score that the share `quantile` of normal pictures does not exceed: the smallest of theirs that does it."""
    return float(np.quantile(normal, quantile, method="inverted_cdf"))
