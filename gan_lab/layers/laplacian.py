"""The Laplacian pyramid: an image as a small one and, level by level, what is missing of the next larger one.

Burt & Adelson 1983; as in Denton et al. 2015 (arXiv:1506.05751, section 2.2): I_{k+1} = d(I_k), l_k = u(I_{k+1}),
h_k = I_k - l_k. Whatever d and u are, l_k + h_k is I_k again. Here d is the mean of 2x2 pixels and u bilinear; the
authors' code is bilinear both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


class Level(NamedTuple):
    """An image `(N, C, H, W)` of a level and `blurred`, the image of the next coarser one enlarged to its size; None at
    the coarsest."""

    image: Tensor
    blurred: Tensor | None = None


def pyramid(images: Tensor, levels: int) -> list[Level]:
    """So many levels of images `(N, C, H, W)`, the coarsest first, the images themselves last."""
    sizes = [images]
    for _ in range(levels - 1):
        sizes.insert(0, halved(sizes[0]))
    return [Level(sizes[0])] + [Level(size, enlarged(coarse)) for coarse, size in pairwise(sizes)]


def halved(images: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, H / 2, W / 2)."""
    return avg_pool2d(images, 2)


def enlarged(images: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, 2 H, 2 W)."""
    return interpolate(images, scale_factor=2.0, mode="bilinear", align_corners=False)


def level_shape(image_shape: Sequence[int], halvings: int) -> tuple[int, int, int]:
    """The shape of an image that was halved so many times. Raises ValueError where its sides are not whole then."""
    channels, height, width = image_shape
    unit = 2**halvings
    if height % unit or width % unit:
        near = [max(round(side / unit), 1) * unit for side in (height, width)]
        raise ValueError(
            f"image_shape {channels}x{height}x{width} cannot be halved {halvings} times: its sides must be multiples "
            f"of {unit} (dataset.image_shape=[{channels},{near[0]},{near[1]}])"
        )
    return channels, height // unit, width // unit
