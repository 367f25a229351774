"""Instance normalisation (Ulyanov et al. 2016, arXiv:1607.08022) that does not leave the layout of convolutions.

torch computes it in the layout (N, C, H, W) alone: on a CPU whatever convolutions hand over in channels_last is copied
into it and back, which took 5 to 8 times as long as the normalisation of a batch. Of one image both are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class InstanceNorm2d(nn.InstanceNorm2d):
    """`torch.nn.InstanceNorm2d` without running statistics: maps (N, C, H, W) to as many, each channel of each image of
    mean 0 and variance 1."""

    def __init__(self, channels: int, affine: bool = False) -> None:
        super().__init__(channels, affine=affine)

    def forward(self, maps: Tensor) -> Tensor:
        return instance_norm(maps, self.weight, self.bias, self.eps)


def instance_norm(maps: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """`torch.nn.functional.instance_norm` by the maps' own statistics. Raises ValueError for maps of one place."""
    in_layout = maps.is_contiguous(memory_format=torch.channels_last) and not maps.is_contiguous()
    if maps.device.type != "cpu" or not in_layout or maps.shape[2:].numel() == 1:
        return functional.instance_norm(maps, weight=weight, bias=bias, eps=eps)
    images = [torch.batch_norm(image, weight, bias, None, None, True, 0.0, eps, False) for image in maps.split(1)]
    return torch.cat(images) if len(images) > 1 else images[0]
