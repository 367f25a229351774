"""Intra-class FID: whether a conditional generator makes each class as varied as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lab.metrics.frechet import as_floats, frechet_distance


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
