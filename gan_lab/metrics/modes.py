"""Mode coverage where the truth is known: Gaussians in the plane, and classes that a classifier tells apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.reference import Reference


def reverse_kl(counts: NDArray[Any], shares: NDArray[np.float64]) -> float:
    """KL(p || q) in nats of the generated distribution over modes p = counts / n from the data's q = `shares` (VEEGAN,
    Srivastava et al. 2017, arXiv:1705.07761; PacGAN, arXiv:1712.04086, section 4). Infinite for a sample in a mode
    that the data does not have."""
    generated = np.asarray(counts, np.float64) / np.sum(counts)
    seen = generated > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(generated[seen] * (np.log(generated[seen]) - np.log(shares[seen]))))


def modes_of_points(
    points: NDArray[np.float64], centres: NDArray[np.float64], std: float, sigmas: float = 3.0
) -> tuple[int, float, float]:
    """Of points `(n, 2)` from equally likely Gaussians: modes covered, high-quality share, reverse KL.

    A point belongs to its nearest centre, and is of high quality within `sigmas` standard deviations of it; a mode is
    covered that has such a point (PacGAN, arXiv:1712.04086, section 4.1: the three figures of its table 1). The
    divergence is of all points, each counted for its nearest mode; PacGAN's code counts those of high quality alone, so
    that it does not see how many lie between the modes.
    """
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)  # (n, modes)
    nearest = distances.argmin(1)
    good = distances.min(1) <= sigmas * std
    counts = np.bincount(nearest, minlength=len(centres))
    shares = np.full(len(centres), 1 / len(centres))
    return len(np.unique(nearest[good])), float(good.mean()), reverse_kl(counts, shares)


class Modes(Measure):
    """`modes`, `reverse_kl`, and for points `quality`, the share of high quality.

    For points the truth is the mixture itself. Otherwise a mode is a class, an image belongs to the class that the
    extractor finds the likeliest, and the data's own labels say how often each should come: ten digits, or the 1000
    modes of stacked MNIST (Metz et al. 2016, arXiv:1611.02163).
    """

    def about_of(self, reference: Reference) -> str:
        return "points" if reference.data.mixture is not None else ""

    def why_not(self, reference: Reference) -> str | None:
        if reference.data.mixture is not None:
            return None
        if not reference.extractor.knows_classes:
            return f"the extractor {reference.extractor.name} does not know the data's classes"
        return None

    def begin(self, n: int) -> Accumulator:
        return _Modes()


class _Modes(Accumulator):
    def __init__(self) -> None:
        self._points: list[NDArray[np.float64]] = []
        self._classes: list[NDArray[np.int64]] = []

    def add(self, part: Part) -> None:
        if part.images.is_floating_point():
            self._points.append(part.images.flatten(1).double().numpy())
        else:
            assert part.probabilities is not None
            self._classes.append(part.probabilities.argmax(1).numpy())

    def values(self, reference: Reference) -> list[Value]:
        mixture = reference.data.mixture
        if mixture is not None:
            points = np.concatenate(self._points) * mixture.extent
            modes, quality, divergence = modes_of_points(points, mixture.centres, mixture.std)
            return [*_values(modes, divergence), Value("quality", quality, lower_is_better=False)]
        shares = reference.class_shares
        assert shares is not None
        counts = np.bincount(np.concatenate(self._classes), minlength=len(shares))
        return _values(int((counts > 0).sum()), reverse_kl(counts, shares))


def _values(modes: int, divergence: float) -> list[Value]:
    return [Value("modes", float(modes), lower_is_better=False), Value("reverse_kl", divergence)]
