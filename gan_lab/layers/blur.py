"""Halving and doubling maps with a low-pass filter, so that nothing above the new resolution comes through as a pattern
(Zhang 2019, arXiv:1904.11486)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pad


class BlurDown(nn.Module):
    """Every second value of a map blurred by [1, 2, 1] / 4 along both sides, edges reflected: (N, C, ceil(H / 2),
    ceil(W / 2)). [1, 2, 1] is [1, 1] twice, and so are the two means taken here."""

    def forward(self, maps: Tensor) -> Tensor:
        return avg_pool2d(avg_pool2d(pad(maps, (1, 1, 1, 1), mode="reflect"), 2, stride=1), 2)


class BlurUp(nn.Module):
    """A map with zeros between its values, blurred by [1, 3, 3, 1] / 4 along both sides, edges repeated: (N, C, 2H,
    2W). That is bilinear interpolation: 3/4 of the nearest value and 1/4 of the next."""

    def forward(self, maps: Tensor) -> Tensor:
        return interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
