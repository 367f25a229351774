"""Blur of everything the discriminator sees, so that it looks at large shapes first."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

SMALLEST = 1e-3  # pixels: the kernel is 1 in the middle and 0 elsewhere


class Blur(nn.Module):
    """Images through the kernel 2^-(x / sigma)^2, cut off at 3 `sigma` and normalised, along both sides; zeros, which
    are gray, lie beyond the border.

    Karras et al. 2021 (arXiv:2106.12423), who let it fade. `sigma`, in pixels, lies on the device and can be
    scheduled down from where it starts: `augmentation.blur.sigma`. Raises ValueError for a `sigma` below 0.
    """

    sigma: Tensor
    places: Tensor

    def __init__(self, sigma: float = 10.0) -> None:
        super().__init__()
        if not (math.isfinite(sigma) and sigma >= 0):
            raise ValueError(f"sigma must be a finite number of at least 0, not {sigma}")
        self.register_buffer("sigma", torch.tensor(float(sigma)), persistent=False)  # the configuration's, not a state
        reach = math.floor(3 * sigma)
        self.register_buffer("places", torch.arange(-reach, reach + 1).float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        channels, reach = images.shape[1], len(self.places) // 2
        sigma = self.sigma.clamp(min=SMALLEST)
        kernel = torch.exp2(-(self.places / sigma).square()) * (self.places.abs() <= 3 * sigma)
        kernel = (kernel / kernel.sum()).to(images.dtype).expand(channels, 1, 1, -1)
        images = conv2d(images, kernel, padding=(0, reach), groups=channels)
        return conv2d(images, kernel.transpose(2, 3), padding=(reach, 0), groups=channels)
