"""Noise: what denoising starts from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.degradations.base import Degradation, Span


class Noise(Degradation):
    """White Gaussian noise of standard deviation `sigma` in levels of 255, clipped to [-1, 1]. With [least, most] every
    image has its own (DnCNN, Zhang et al. 2016, arXiv:1608.03981: 25 for one level, 0 to 55 for a blind network)."""

    def __init__(self, sigma: float | Sequence[float] = 25) -> None:
        super().__init__()
        self.sigma = Span(sigma, "sigma", most=255)

    def forward(self, images: Tensor) -> Tensor:
        return (images + torch.randn(images.shape, device=images.device) * self.sigma.draw(images) / 127.5).clamp(-1, 1)
