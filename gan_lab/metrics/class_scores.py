"""The Inception Score: each image is surely of one class, all classes occur."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import Floats, as_floats


def inception_score(probabilities: ArrayLike | Tensor, splits: int = 10) -> tuple[float, float]:
    """exp of the mean KL(p(y|x) || p(y)) over images (Salimans et al. 2016, arXiv:1606.03498, section 4): its mean and
    standard deviation over `splits` consecutive parts of `probabilities` `(n, k)`, rows summing to 1. From 1 to k.

    Raises ValueError for rows that are no probabilities, and for fewer images than splits.
    """
    rows = as_floats(probabilities)
    sums = ScoreSums(len(rows), splits)
    sums.add(rows)
    return sums.score()


class ScoreSums:
    """The same for probabilities that come in parts, `n` in all: keeps two sums for each split.

    mean KL(p || q) = mean of sum p log p, minus sum q log q, with q the mean of p.
    """

    def __init__(self, n: int, splits: int = 10) -> None:
        if splits < 1 or n < splits:
            raise ValueError(f"{n} images cannot be parted into {splits} splits")
        self.n = n
        self.edges = [index * n // splits for index in range(splits + 1)]
        self.seen = 0
        self._mean: list[Floats | float] = [0.0] * splits
        self._entropy = [0.0] * splits

    def add(self, probabilities: ArrayLike | Tensor) -> None:
        """Hear of the next images' probabilities."""
        rows = as_floats(probabilities)
        if (rows < 0).any() or not np.allclose(rows.sum(1), 1, atol=1e-3):
            raise ValueError("rows must be probabilities that sum to 1")
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = np.where(rows > 0, rows * np.log(rows), 0.0).sum(1)
        for split, (start, end) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            part = slice(max(start - self.seen, 0), max(end - self.seen, 0))
            if len(rows[part]):
                self._mean[split] = self._mean[split] + rows[part].sum(0)
                self._entropy[split] += float(entropy[part].sum())
        self.seen += len(rows)

    def score(self) -> tuple[float, float]:
        """Mean and standard deviation over splits. Raises ValueError before all images have come."""
        if self.seen != self.n:
            raise ValueError(f"{self.seen} of {self.n} images have come")
        scores = []
        for split, (start, end) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            marginal = np.asarray(self._mean[split]) / (end - start)
            kept = marginal[marginal > 0]
            scores.append(np.exp(self._entropy[split] / (end - start) - np.sum(kept * np.log(kept))))
        return float(np.mean(scores)), float(np.std(scores))
