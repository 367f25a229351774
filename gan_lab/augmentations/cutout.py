"""The cutout of ADA (Karras et al. 2020, arXiv:2006.06676, appendix B): a part of the image that nobody sees."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.augmentations.matrices import sometimes

SIDE = 0.5  # of the rectangle, as a share of the image's


def cut_out(images: Tensor, like: Tensor, p: Tensor) -> Tensor:
    """Images (N, C, H, W), with probability p each without a rectangle of half of each side: it becomes 0, which is
    grey. Its centre is uniform in the image, so that a part may lie outside. `like` is (N,), `p` 0-d; with p = 0 the
    images are exactly what they were."""
    side = sometimes(p, torch.full_like(like, SIDE), 0.0)
    beyond = [_beyond(size, side, torch.rand_like(like)) for size in images.shape[2:]]
    return images * (beyond[0][:, None, :, None] | beyond[1][:, None, None, :])


def _beyond(size: int, side: Tensor, centre: Tensor) -> Tensor:
    """(N, size): which pixels lie beyond the rectangle along one side of the image."""
    places = (torch.arange(size, device=side.device, dtype=side.dtype) + 0.5) / size
    return (places - centre[:, None]).abs() >= side[:, None] / 2
