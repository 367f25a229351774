"""Intra-class FID: whether a conditional generator makes each class as varied as it is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gan_lab.errors import GanLabError
from gan_lab.metrics.base import Features, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.frechet import as_floats, frechet_distance
from gan_lab.metrics.reference import Reference

SHOWN = 8  # names of classes


def intra_class_distance(
    real: ArrayLike | Tensor, real_labels: ArrayLike, fake: ArrayLike | Tensor, fake_labels: ArrayLike
) -> float:
    """The mean over the classes of `fake` of the Frechet distance between the features of that class (Miyato & Koyama
    2018, arXiv:1802.05637, section 5). Raises ValueError for a class with fewer than two features on a side, and for
    labels that are not as many as the features.
    """
    first, second = as_floats(real), as_floats(fake)
    ours, theirs = np.asarray(real_labels), np.asarray(fake_labels)
    for features, labels in ((first, ours), (second, theirs)):
        if labels.shape != (len(features),):
            raise ValueError(f"{len(features)} features need as many labels, not {labels.shape}")
    classes = np.unique(theirs)
    return float(np.mean([frechet_distance(first[ours == each], second[theirs == each]) for each in classes]))


def classes_with_two(reference: Reference) -> NDArray[np.int64]:
    """The classes that have two images of the data or more: fewer have no covariance."""
    labels = reference.data.store.labels
    return np.empty(0, np.int64) if labels is None else np.flatnonzero(np.bincount(labels) > 1)


def names_of_small_classes(reference: Reference, n: int, least: int) -> tuple[str, str]:
    """For people: the other ones; and those of which `least` images are not to be expected among `n` generated ones in
    the data's shares. Empty where there is none."""
    names = reference.data.store.classes or []
    counts = np.bincount(np.asarray(reference.data.store.labels), minlength=len(names))
    rare = [name for name, count in zip(names, counts, strict=True) if count < 2]
    few = [name for name, count in zip(names, counts, strict=True) if count >= 2 and count * n < least * counts.sum()]
    return _listed(rare), _listed(few)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def smallest_class(reference: Reference, n: int) -> int:
    """Images of the one that has fewest of those with two, in the data or among `n` generated in the same shares."""
    counts = np.bincount(np.asarray(reference.data.store.labels))
    fewest = int(counts[counts > 1].min())
    return min(fewest, fewest * n // len(reference.data.store))


class ByClass(Features):
    """Features and the classes that they were asked for. Classes with fewer than `least` of them, or fewer than two
    images of the data, are left out."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least
        self._labels: list[Tensor] = []

    def add(self, part: Part) -> None:
        super().add(part)
        if part.labels is not None:
            self._labels.append(part.labels)

    def values(self, reference: Reference) -> list[Value]:
        if not self._labels:
            return []  # the generator takes no labels
        fake = torch.cat(self._labels)
        classes, counts = fake.unique(return_counts=True)
        known = torch.from_numpy(classes_with_two(reference))
        enough = torch.isin(fake, classes[counts >= self.least]) & torch.isin(fake, known)
        if not enough.any():
            raise GanLabError(f"no class has {self.least} generated images; ask for more, or for a smaller `least`")
        everything = len(reference.data.store)
        real = reference.labels(everything)
        assert real is not None
        found = intra_class_distance(reference.features(everything), real, self.all[enough], fake[enough])
        return [Value("intra_class_fid", found)]
