"""Detectors without a network, which a trained one has to beat: they know the same training pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.detection.ranking import Scores

AT_ONCE = 1024  # pictures
Pictures = NDArray[np.uint8]


class Baseline(ABC):
    """`fit` on training pictures `(N, C, H, W)`, uint8; calling it scores others, larger = more anomalous."""

    name: str

    @abstractmethod
    def fit(self, pictures: Pictures) -> Baseline: ...

    @abstractmethod
    def score(self, part: Tensor) -> Tensor:
        """Of some pictures as rows `(n, D)` in [-1, 1], `(n,)`."""

    def __call__(self, pictures: Pictures) -> Scores:
        scores: Scores = torch.cat([self.score(part) for part in rows(pictures)]).double().numpy()
        return scores


class PrincipalComponents(Baseline):
    """The mean squared residual beside the first `components` principal components of the training pictures, or as many
    as they have. 40 was fixed before anything was measured."""

    name = "pca"

    def __init__(self, components: int = 40) -> None:
        self.components = components

    def fit(self, pictures: Pictures) -> PrincipalComponents:
        """By the smaller of the two matrices of products: that of pixels, or that of pictures."""
        known = torch.cat(list(rows(pictures))).double()
        mean = known.mean(0)
        centred = known - mean
        wide = centred.shape[1] > len(centred)
        values, vectors = torch.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
        several = values > values[-1].clamp(min=1e-12) * 1e-10
        axes = vectors[:, several][:, -self.components :]
        axes = torch.linalg.qr(centred.T @ axes).Q if wide else axes
        self.mean, self.axes = mean, axes
        return self

    def score(self, part: Tensor) -> Tensor:
        centred = part.double() - self.mean
        residual: Tensor = centred - centred @ self.axes @ self.axes.T
        return residual.square().mean(1)


class NearestNeighbour(Baseline):
    """The mean squared distance to the nearest training picture."""

    name = "nearest"

    def fit(self, pictures: Pictures) -> NearestNeighbour:
        self.known = list(rows(pictures))
        return self

    def score(self, part: Tensor) -> Tensor:
        distances = torch.stack([torch.cdist(part, known).amin(1) for known in self.known]).amin(0)
        return distances.square() / part.shape[1]


def rows(pictures: Pictures) -> Iterator[Tensor]:
    """`(n, D)` in [-1, 1], some pictures at a time."""
    for start in range(0, len(pictures), AT_ONCE):
        part = torch.from_numpy(np.array(pictures[start : start + AT_ONCE])).flatten(1)
        yield part.float() / 127.5 - 1 if part.dtype == torch.uint8 else part
