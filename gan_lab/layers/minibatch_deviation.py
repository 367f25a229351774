"""How much features vary over the batch (Karras et al. 2017, arXiv:1710.10196, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.distributed.world import world


class MinibatchDeviation(nn.Module):
    """Maps (N, C, H, W) to (N, C + 1, H, W): one more map, constant, of the standard deviation of each feature at each
    place over the image's group, averaged to one number. Raises ValueError for a `group` below 2."""

    couples_images = True  # two passes are not one pass over twice as much

    def __init__(self, group: int | None = 4) -> None:
        super().__init__()
        self.group = require_group(group)

    def forward(self, maps: Tensor) -> Tensor:
        """In the precision of the maps, but for the statistic, which is of differences and taken in fp32."""
        with torch.autocast(maps.device.type, enabled=False):
            whole = world().gather(maps.to(torch.promote_types(maps.dtype, torch.float32)))
            statistic = world().share(deviation(whole, self.group)).to(maps.dtype)
        return torch.cat([maps, statistic[:, :, None, None].expand(-1, -1, *maps.shape[2:])], 1)


def require_group(group: int | None) -> int | None:
    """How many images are compared; null: the whole batch. Raises ValueError for fewer than 2."""
    if group is not None and group < 2:
        raise ValueError(f"group must be at least 2 images, or null for the whole batch, not {group}")
    return group


def deviation(features: Tensor, group: int | None) -> Tensor:
    """Features (N, ...) to (N, 1): the mean over all features of their standard deviation in the image's group.

    Image i is compared with those that have the same i mod N/group; a batch that `group` does not divide is one group.
    The variance is the mean squared deviation; 1e-8 under the root keeps its derivative finite where images are equal.
    """
    n = len(features)
    size = group if group is not None and n % group == 0 else n
    rows = features.reshape(size, n // size, -1)
    variance = (rows - rows.mean(0)).square().mean(0)  # (groups, features); `var` along the batch is ten times slower
    return (variance + 1e-8).sqrt().mean(1, keepdim=True).repeat(size, 1)
