"""Noise on everything the discriminator sees, so that what is real and what is generated overlap."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class InstanceNoise(nn.Module):
    """x + std * e, e ~ N(0, I), drawn anew for every image at every look.

    Sonderby et al. 2016 (arXiv:1610.04490, section 3.2, who anneal it to 0); Arjovsky & Bottou 2017 (arXiv:1701.04862,
    section 3). Images lie in [-1, 1]; the noisy ones are not clipped. `std` lies on the device and can be scheduled:
    `augmentation.instance_noise.std`. Raises ValueError for a negative `std`.
    """

    std: Tensor

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        if not (math.isfinite(std) and std >= 0):
            raise ValueError(f"std must be a finite number of at least 0, not {std}")
        self.register_buffer("std", torch.tensor(float(std)), persistent=False)  # the configuration's, not a state

    def forward(self, images: Tensor) -> Tensor:
        return images + self.std * torch.randn_like(images)
