"""Minibatch standard deviation (Karras et al. 2017, arXiv:1710.10196, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.layers.minibatch_deviation import deviation, require_group
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
        require_group(group)
        super().__init__(build, image_shape, 1)
        self.group = group

    def statistic(self, features: Tensor) -> Tensor:
        return world().share(deviation(world().gather(features), self.group))

    def joined(self, features: Tensor, statistic: Tensor) -> Tensor:
        """(N, F + 1) or (N, C + 1, H, W)."""
        shape = (len(features), 1, *features.shape[2:])
        return torch.cat([features, statistic.view(-1, *[1] * (features.dim() - 1)).expand(shape)], 1)
