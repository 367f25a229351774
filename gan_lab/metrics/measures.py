"""The metrics over features as the configuration names them: thin, the arithmetic is in the functions' own files."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gan_lab.metrics.base import Accumulator, Features, Fewest, Measure, Part, joined
from gan_lab.metrics.class_scores import ScoreSums
from gan_lab.metrics.coverage import density_coverage
from gan_lab.metrics.figure import Value
from gan_lab.metrics.frechet_error import GroupedMoments
from gan_lab.metrics.intra_class import ByClass, classes_with_two, names_of_small_classes, smallest_class
from gan_lab.metrics.kernel import kernel_distance
from gan_lab.metrics.manifolds import precision_recall
from gan_lab.metrics.memorisation import memorisation
from gan_lab.metrics.reference import Reference
from gan_lab.metrics.sliced_wasserstein import sliced_wasserstein


@dataclass(frozen=True)
class Configured(Measure):
    """A measure whose arguments are what its card says."""

    @property
    def settings(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class FrechetDistance(Configured):
    """FID (Heusel et al. 2017, arXiv:1706.08500) to all images of the data, with its standard error:
    `gan_lab.metrics.frechet`, `gan_lab.metrics.frechet_error`. Of no more images than the features have dimensions a
    covariance is singular, and the distance far too large."""

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(2, 2)

    def caution(self, reference: Reference, n: int) -> str | None:
        fewest, dimensions = min(n, len(reference.data.store)), reference.dimensions
        if fewest > dimensions:
            return None
        whose = "generated images" if n == fewest else "images of the data"
        return f"of {fewest} {whose} is far too large: features have {dimensions} dimensions, and it needs more images"

    def begin(self, n: int) -> Accumulator:
        return _Moments()


class _Moments(Accumulator):
    def __init__(self) -> None:
        self._moments = GroupedMoments()

    def add(self, part: Part) -> None:
        self._moments.add(part.features)

    def values(self, reference: Reference) -> list[Value]:
        return [Value("fid", *self._moments.distance(reference.moments))]


@dataclass(frozen=True)
class KernelDistance(Configured):
    """KID (Binkowski et al. 2018, arXiv:1801.01401), with its standard error: `gan_lab.metrics.kernel`."""

    subsets: int = 100
    subset_size: int = 1000

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(2, 2)

    def begin(self, n: int) -> Accumulator:
        return _Kernel(self, n)


class _Kernel(Features):
    def __init__(self, asked: KernelDistance, n: int) -> None:
        super().__init__()
        self.asked, self.n = asked, n

    def values(self, reference: Reference) -> list[Value]:
        real, size = reference.features(self.n), self.asked.subset_size
        size = min(size, len(real), self.n)
        value, error = kernel_distance(real, self.all, subsets=self.asked.subsets, subset_size=size)
        return [Value("kid", value, None if math.isnan(error) else error)]


@dataclass(frozen=True)
class InceptionScore(Configured):
    """IS (Salimans et al. 2016, arXiv:1606.03498): needs an extractor that knows classes."""

    splits: int = 10

    def why_not(self, reference: Reference) -> str | None:
        return _no_classes(reference)

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(generated=self.splits)

    def begin(self, n: int) -> Accumulator:
        return _Scores(ScoreSums(n, self.splits))


class _Scores(Accumulator):
    def __init__(self, sums: ScoreSums) -> None:
        self._sums = sums

    def add(self, part: Part) -> None:
        assert part.probabilities is not None
        self._sums.add(part.probabilities)

    def values(self, reference: Reference) -> list[Value]:
        mean, std = self._sums.score()
        return [Value("inception_score", mean, std, lower_is_better=False)]


@dataclass(frozen=True)
class PrecisionRecall(Configured):
    """Kynkaanniemi et al. 2019 (arXiv:1904.06991), against as many real images as there are generated ones."""

    k: int = 3

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(self.k + 1, self.k + 1)

    def begin(self, n: int) -> Accumulator:
        return _Pair(n, ("precision", "recall"), lambda real, fake: precision_recall(real, fake, k=self.k))


@dataclass(frozen=True)
class DensityCoverage(Configured):
    """Naeem et al. 2020 (arXiv:2002.09797), against as many real images as there are generated ones."""

    k: int = 5

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(self.k + 1, self.k + 1)

    def begin(self, n: int) -> Accumulator:
        return _Pair(n, ("density", "coverage"), lambda real, fake: density_coverage(real, fake, k=self.k))


class _Pair(Features):
    def __init__(self, n: int, names: tuple[str, str], compare: Any) -> None:
        super().__init__()
        self.n, self.names, self.compare = n, names, compare

    def values(self, reference: Reference) -> list[Value]:
        found = self.compare(reference.features(self.n), self.all)
        return [Value(name, value, lower_is_better=False) for name, value in zip(self.names, found, strict=True)]


@dataclass(frozen=True)
class SlicedWasserstein(Configured):
    """Karras et al. 2017 (arXiv:1710.10196, appendix C), on at most `most` images: of pixels, needs no weights."""

    features = False
    about = "laplacian"
    most: int = 2048
    seed: int = 0

    def why_not(self, reference: Reference) -> str | None:
        if reference.data.store.dtype != "uint8" or min(reference.data.store.shape[1:]) < 8:
            return "the images are smaller than 8x8"
        return None

    def begin(self, n: int) -> Accumulator:
        return _Images(self, n)


class _Images(Accumulator):
    def __init__(self, asked: SlicedWasserstein, n: int) -> None:
        self.asked, self.room, self.n = asked, min(asked.most, n), min(asked.most, n)
        self._parts: list[Tensor] = []

    def add(self, part: Part) -> None:
        if self.room > 0:
            self._parts.append(part.images[: self.room])
            self.room -= len(self._parts[-1])

    def values(self, reference: Reference) -> list[Value]:
        real = reference.images(self.n)  # of a small data set fewer
        found = sliced_wasserstein(real, joined(self._parts)[: len(real)], seed=self.asked.seed)
        return [Value("swd", found["mean"])]


@dataclass(frozen=True)
class IntraClassDistance(Configured):
    """The mean over classes of the FID within each (Miyato & Koyama 2018, arXiv:1802.05637): for generators that take
    labels. A class with fewer than `least` generated images is not looked at, nor one with fewer than two of the
    data: it has no covariance."""

    labels = True
    least: int = 50

    def why_not(self, reference: Reference) -> str | None:
        if not reference.data.store.num_classes:
            return "the data has no classes"
        return None if len(classes_with_two(reference)) else "no class of the data has two images"

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(2, max(self.least, 2))

    def caution(self, reference: Reference, n: int) -> str | None:
        least, smallest = max(self.least, 2), smallest_class(reference, n)
        rare, few = names_of_small_classes(reference, n, least)
        told = [f"leaves out {rare}: fewer than two images"] if rare else []
        told += [f"leaves out {few}: fewer than {least} generated images of n={n}"] if few else []
        if smallest <= reference.dimensions:
            told.append(
                f"is far too large: of some classes it takes {smallest} images, features have {reference.dimensions} "
                "dimensions"
            )
        return "; it ".join(told) or None

    def begin(self, n: int) -> Accumulator:
        return ByClass(max(self.least, 2))


@dataclass(frozen=True)
class Memorisation(Configured):
    """Whether generated images lie nearer to the data than real ones do, a z-score; -3 and less says copied:
    `gan_lab.metrics.memorisation`. Looks for them among `most` images of the data.

    The real ones are `held_out`, images that training never saw: a split of the dataset, or a folder or zip (at most
    `most` of them); null takes the data's images, each without itself.
    """

    most: int = 50_000
    held_out: str | None = None

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        real = self.real(reference)
        return {"most": self.most} if real is None else {"most": self.most, "held_out": real.card}

    def why_not(self, reference: Reference) -> str | None:
        self.real(reference)
        return None

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(2 if self.held_out is None else 1)  # one image has no other that it could be near to

    def real(self, reference: Reference) -> Reference | None:
        """The held-out images, opened. Raises GanLabError where they are not there."""
        return None if self.held_out is None else reference.held_out(self.held_out, "metrics.memorisation.held_out")

    def begin(self, n: int) -> Accumulator:
        return _Memorised(self)


class _Memorised(Features):
    def __init__(self, asked: Memorisation) -> None:
        super().__init__()
        self.asked = asked

    def values(self, reference: Reference) -> list[Value]:
        real, most = self.asked.real(reference), self.asked.most
        found = memorisation(reference.features(most), None if real is None else real.features(most), self.all)
        return [Value("memorisation", found, lower_is_better=False)]


def _no_classes(reference: Reference) -> str | None:
    if reference.extractor.classes:
        return None
    return f"the extractor {reference.extractor.name} knows no classes"
