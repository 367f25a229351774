"""Minibatch standard deviation (Karras et al. 2017, arXiv:1710.10196, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.wrappers.base import Build
from gan_lab.wrappers.batch_statistics import BatchStatistics


class MinibatchStandardDeviation(BatchStatistics):
    """How much the features vary over the batch, as one more number that the score reads; nothing to tune.

    The standard deviation of each feature at each place over the batch, averaged to one number. `group`: images are
    compared in groups of so many (4, as in the authors' code and StyleGAN's), image i with those that have the same
    i mod N/group; null, or a batch that `group` does not divide, is one group. Features gain one constant map, vectors
    one number. Deviation: the paper puts the map before its last convolution, here it comes before the last layer.
    Raises ValueError for a `group` below 2.
    """

    def __init__(self, build: Build, image_shape: Sequence[int], group: int | None = 4) -> None:
        if group is not None and group < 2:
            raise ValueError(f"group must be at least 2 images, or null for the whole batch, not {group}")
        super().__init__(build, image_shape, 1)
        self.group = group

    def statistic(self, features: Tensor) -> Tensor:
        return world().share(deviation(world().gather(features), self.group))

    def joined(self, features: Tensor, statistic: Tensor) -> Tensor:
        """(N, F + 1) or (N, C + 1, H, W)."""
        shape = (len(features), 1, *features.shape[2:])
        return torch.cat([features, statistic.view(-1, *[1] * (features.dim() - 1)).expand(shape)], 1)


def deviation(features: Tensor, group: int | None) -> Tensor:
    """Features (N, ...) to (N, 1): the mean over all features of their standard deviation in the image's group.

    The variance is the mean squared deviation; 1e-8 under the root keeps its derivative finite where images are equal.
    """
    n = len(features)
    size = group if group is not None and n % group == 0 else n
    variance = features.reshape(size, n // size, -1).var(0, unbiased=False)  # (groups, features)
    return (variance + 1e-8).sqrt().mean(1, keepdim=True).repeat(size, 1)
