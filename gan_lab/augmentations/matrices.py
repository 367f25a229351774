"""Small matrices, one per image, for what is random about a picture's geometry and colours.

Products are sums of elementwise products: never rounded to TF32 or bf16, so that a product of identities is exactly one
and a shift by whole pixels stays whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def octaves(count: Tensor) -> Tensor:
    """2 to the power of `count`, by way of `exp`: on CUDA `exp2` is compiled when it is first used, by a library that
    may not be there."""
    return torch.exp(count * math.log(2))


def compose(*factors: Tensor) -> Tensor:
    """The product of matrices (N, D, D), the first leftmost."""
    product, *rest = factors
    for factor in rest:
        product = (product.unsqueeze(-1) * factor.unsqueeze(-3)).sum(-2)
    return product


def matrix(rows: Sequence[Sequence[Tensor | float]]) -> Tensor:
    """(N, D, D) from entries that are (N,) or plain numbers; one of them at least is (N,)."""
    like = next(entry for row in rows for entry in row if isinstance(entry, Tensor))
    filled = [entry if isinstance(entry, Tensor) else torch.full_like(like, entry) for row in rows for entry in row]
    return torch.stack(filled, -1).view(-1, len(rows), len(rows))


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """(x, y) times the plane, homogeneous (N, 3, 3)."""
    return matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])


def rotation(cosine: Tensor, sine: Tensor) -> Tensor:
    """A turn of the plane, homogeneous (N, 3, 3)."""
    return matrix([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def shift(x: Tensor, y: Tensor) -> Tensor:
    """A shift of the plane, homogeneous (N, 3, 3)."""
    return matrix([[torch.ones_like(x), 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def sometimes(p: Tensor, value: Tensor, otherwise: float) -> Tensor:
    """Each of the values (N,) with probability p, else the number that changes nothing."""
    return torch.where(torch.rand_like(value) < p, value, torch.full_like(value, otherwise))
