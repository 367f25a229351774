"""Sliced Wasserstein distance of patches at several scales: sees texture and structure, needs no trained network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

PATCH = 7  # pixels
PATCHES = 128  # of an image, at each scale
DIRECTIONS = 512
FLAT = 1e-3  # of 255: a channel that deviates less is constant but for rounding
SMALLEST = 16  # pixels: the last scale is at least this large, where the images are


def sliced_wasserstein(real: Tensor, fake: Tensor, seed: int = 0) -> dict[str, float]:
    """Of uint8 images `(n, C, H, W)`, as many on both sides: the distance at each scale by its height in pixels, and
    their `mean`, times 1000 (Karras et al. 2017, arXiv:1710.10196, section 5).

    Images become Laplacian pyramids (Burt & Adelson 1983). At each level 7x7 patches are taken at random places,
    normalised to mean 0 and standard deviation 1 in each channel, and projected on random directions; along each
    the Wasserstein-1 distance of the sorted projections is taken. Places (the same on both sides, so that an image is
    at no distance from itself) and directions depend on `seed` alone. Takes 50 kB of memory for an image and channel.
    Raises ValueError for other shapes and different numbers.
    """
    if real.shape != fake.shape or real.ndim != 4 or min(real.shape[2:]) < PATCH:
        raise ValueError(f"as many images of one size, at least 7x7, on both sides: {real.shape}, {fake.shape}")
    found = {}
    for level, (one, two) in enumerate(zip(_pyramid(real), _pyramid(fake), strict=True)):
        generator = torch.Generator().manual_seed(seed * 1000 + level)
        places = torch.rand(2, len(one), PATCHES, generator=generator)
        found[str(one.shape[2])] = 1000 * _distance(_patches(one, places), _patches(two, places), generator)
    return {**found, "mean": sum(found.values()) / len(found)}


def _pyramid(images: Tensor) -> list[Tensor]:
    """What each scale has that the next coarser one has not, and the coarsest one itself."""
    levels = [images.float()]
    while min(levels[-1].shape[2:]) // 2 >= SMALLEST:
        levels.append(_down(levels[-1]))
    finer = [fine - _up(coarse, fine) for fine, coarse in pairwise(levels)]
    return [*finer, levels[-1]]


def _blurred(images: Tensor, gain: float = 1.0) -> Tensor:
    """The 5x5 binomial filter of Burt & Adelson, with reflected borders."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (torch.outer(row, row) * gain).expand(images.shape[1], 1, 5, 5)
    return conv2d(pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=images.shape[1])


def _down(images: Tensor) -> Tensor:
    return _blurred(images)[:, :, ::2, ::2]


def _up(coarse: Tensor, like: Tensor) -> Tensor:
    """Pixels with zeros between them, blurred."""
    wide = torch.zeros_like(like)
    wide[:, :, ::2, ::2] = coarse
    return _blurred(wide, 4.0)


def _patches(images: Tensor, places: Tensor) -> Tensor:
    """`(n PATCHES, C 7 7)`, normalised; `places` `(2, n, PATCHES)` in [0, 1) are parts of the way down and right."""
    count, channels, height, width = images.shape
    tops, lefts = (places[0] * (height - PATCH + 1)).long(), (places[1] * (width - PATCH + 1)).long()
    windows = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (n, C, rows, columns, 7, 7), a view
    patches = torch.empty(count, PATCHES, channels, PATCH, PATCH)
    for some in torch.arange(count).split(64):
        patches[some] = windows[some[:, None], :, tops[some], lefts[some]]
    deviation, mean = torch.std_mean(patches, (0, 1, 3, 4), correction=0, keepdim=True)
    return patches.sub_(mean).div_(deviation.clamp_min(FLAT)).flatten(2).flatten(0, 1)


def _distance(one: Tensor, two: Tensor, generator: torch.Generator) -> float:
    """The mean over directions of the Wasserstein-1 distance of projections."""
    directions = torch.randn(one.shape[1], DIRECTIONS, generator=generator)
    directions /= directions.norm(dim=0)
    total = 0.0
    for some in directions.split(32, dim=1):
        first, second = ((some.T @ points.T).numpy() for points in (one, two))
        first.sort(axis=1)  # NumPy's is 15 times quicker than torch's, which also keeps the places
        second.sort(axis=1)
        total += float(np.abs(np.subtract(first, second, out=first), out=first).mean(1, dtype=np.float64).sum())
    return total / DIRECTIONS
