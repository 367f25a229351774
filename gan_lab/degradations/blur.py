"""Blur: what deblurring starts from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gan_lab.degradations.base import Degradation, Sides, Span
from gan_lab.errors import ConfigError

REACH = 3  # standard deviations


class Blur(Degradation):
    """A Gaussian of standard deviation `sigma` in pixels, cut at three of the largest; pictures are mirrored at their
    edges. With [least, most] every image has its own."""

    def __init__(self, sigma: float | Sequence[float] = 2) -> None:
        super().__init__()
        self.sigma = Span(sigma, "sigma", least=0.01)
        self.radius = math.ceil(REACH * self.sigma.high)

    def forward(self, images: Tensor) -> Tensor:
        n, channels, *_ = images.shape
        places = torch.arange(-self.radius, self.radius + 1, device=images.device)
        kernel = torch.exp(-places.square() / (2 * self.sigma.draw(images).view(n, 1).square()))
        kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)  # (N C, K)
        mirrored = pad(images, [self.radius] * 4, mode="reflect")
        flat = mirrored.reshape(1, n * channels, *mirrored.shape[2:])  # every picture a channel with its own kernel
        flat = conv2d(flat, kernel[:, None, :, None], groups=n * channels)
        return conv2d(flat, kernel[:, None, None, :], groups=n * channels).view(images.shape)

    def shape(self, image: Sides) -> Sides:
        if self.radius >= min(image[1:]):
            raise ConfigError(
                f"degradation.sigma={self.sigma.high:g}: reaches {self.radius} pixels, too far for images of "
                f"{image[1]}x{image[2]}"
            )
        return image
