"""Directions read off the weights (SeFa, Shen & Zhou 2020, arXiv:2007.06600)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.editing.directions import signed


def sefa(weights: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of the weights A `(rows, D)` from codes to first features the unit vectors n `(count, D)` with the largest
    |A n|^2, each orthogonal to those before, and these `(count,)`: eigenvectors of A^T A, largest eigenvalue first.

    The authors' code makes every row of A a unit vector first, which their formula does not, and takes eigenvectors in
    the order in which they come. Where BatchNorm follows A its scale is in A (`gan_lab.layers.latent_weights`).
    """
    values, vectors = torch.linalg.eigh(weights.T.double() @ weights.double())
    return signed(vectors.flip(1).T[:count].contiguous()), values.flip(0)[:count]
