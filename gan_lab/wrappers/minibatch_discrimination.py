"""Minibatch discrimination (Salimans et al. 2016, arXiv:1606.03498, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from gan_lab.distributed.world import world
from gan_lab.wrappers.base import Build
from gan_lab.wrappers.batch_statistics import BatchStatistics


class MinibatchDiscrimination(BatchStatistics):
    """Tells how close an image is to the rest of its batch, so that a generator that repeats itself is found out.

    Features f(x_i) in R^A times a tensor T (A, B, C) are B rows M_ib of C numbers; the statistic is
    o(x_i)_b = sum_j exp(-|M_ib - M_jb|_1), over the whole batch as in the paper, i itself included (which adds 1). It
    depends on the size of the batch. B = `kernels` and C = `dims`, by default 100 and 5 as in the authors' code; T
    starts from N(0, 1/A), so that M has the scale of the features.

    Memory: T has A B C numbers (a last map of 512x4x4 makes 4 million of them: 16 MB), and every look at a batch keeps
    4 N^2 B C bytes (8 MB for N = 64, 131 MB for 256), twice that under a gradient penalty. Fewer kernels or dims cost
    less. Real and generated images are looked at apart, as they must be.
    """

    def __init__(self, build: Build, image_shape: Sequence[int], kernels: int = 100, dims: int = 5) -> None:
        super().__init__(build, image_shape, kernels)
        if dims < 1:
            raise ValueError(f"dims must be at least 1, not {dims}")
        self.kernels, self.dims = kernels, dims
        self.tensor = nn.Linear(self.feature_size, kernels * dims, bias=False)  # T, as a matrix (B C, A)
        nn.init.normal_(self.tensor.weight, 0.0, self.feature_size**-0.5)

    def statistic(self, features: Tensor) -> Tensor:
        rows = self.tensor(features.flatten(1)).view(-1, self.kernels, self.dims)
        return closeness(rows, world().gather(rows))

    def joined(self, features: Tensor, statistic: Tensor) -> Tensor:
        """(N, A + B)."""
        return torch.cat([features.flatten(1), statistic], 1)


def closeness(rows: Tensor, others: Tensor | None = None) -> Tensor:
    """M (N, B, C) to o (N, B), beside the M (M, B, C) of all `others`, by default themselves."""
    numbers = _numbers(rows)
    beside = numbers if others is None or others is rows else _numbers(others)
    apart = ((mine[:, :, None] - its[:, None]).abs() for mine, its in zip(numbers, beside, strict=True))
    distance: Tensor = reduce(torch.add, apart)  # (B, N, M)
    return (-distance).exp().sum(2).T


def _numbers(rows: Tensor) -> tuple[Tensor, ...]:
    """The C numbers of every row, (B, N) each: to add them up one after another is the fastest."""
    return rows.permute(2, 1, 0).contiguous().unbind()
