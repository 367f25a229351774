"""Moving images by an affine map, with bilinear interpolation that can be differentiated as often as one likes."""

from __future__ import annotations

import torch
from torch import Tensor


def warp(images: Tensor, source: Tensor) -> Tensor:
    """Images (N, C, H, W) read where `source` (N, 3, 3) sends each pixel; pixels, measured from the image's centre.

    Beyond the border the image is mirrored, as often as needed, without repeating its outermost pixels. Four gathers
    and their weighted sum: linear in the images, where `torch.nn.functional.grid_sample` has no second derivative.
    No gradient flows to `source`. The result lies in channels_last; a map onto whole pixels is exact.
    """
    n, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device, dtype=source.dtype)[:, None] - (height - 1) / 2
    columns = torch.arange(width, device=images.device, dtype=source.dtype) - (width - 1) / 2
    a, b, c, d, e, f = source[:, :2].flatten(1)[:, :, None, None].unbind(1)  # each (N, 1, 1)
    x = a * columns + b * rows + c + (width - 1) / 2  # (N, H, W)
    y = d * columns + e * rows + f + (height - 1) / 2
    left, top = x.floor(), y.floor()
    weights_x, weights_y = (1 - (x - left), x - left), (1 - (y - top), y - top)
    pixels = images.permute(0, 2, 3, 1).reshape(n, height * width, channels)
    total: Tensor | None = None
    for down in (0, 1):
        for right in (0, 1):
            index = mirrored(top.long() + down, height) * width + mirrored(left.long() + right, width)
            corner = pixels.gather(1, index.view(n, -1, 1).expand(-1, -1, channels))
            part = corner * (weights_y[down] * weights_x[right]).view(n, -1, 1)
            total = part if total is None else total + part
    assert total is not None
    return total.view(n, height, width, channels).permute(0, 3, 1, 2).to(images.dtype)


def mirrored(index: Tensor, size: int) -> Tensor:
    """... 2 1 0 1 2 ... size-2 size-1 size-2 ...: any whole number to one from 0 to size - 1."""
    last = size - 1
    return last - (index.remainder(2 * last) - last).abs()
