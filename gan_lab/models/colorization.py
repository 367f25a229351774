"""Colours for gray pictures: pix2pix (Isola et al. 2016, arXiv:1611.07004, section 4.2) on CIELAB.

As in the authors' code the network sees L / 50 - 1 and makes a and b over 110, which are put together with the L of the
input. Deviations: images are sRGB outside of the generator, so that the discriminator sees colours as people do, and a
colour that no screen shows is mixed with gray, which keeps its lightness, where the code clips it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError
from gan_lab.layers.lab import AB, from_lab, lightness
from gan_lab.models import unet


class Generator(nn.Module):
    """Gray pictures `(N, 1, H, W)` to colour `(N, 3, H, W)` in [-1, 1], as light as they were. The network is pix2pix's
    U-Net, whose arguments these are. Raises ConfigError for images that are gray and inputs that are not."""

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        levels: int | str | None = unet.AUTO,
        normalization: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if image_shape[0] != 3:
            raise ConfigError("model.generator: the images are gray; colorization learns from images in colour")
        if input_shape[0] != 1:
            raise ConfigError(
                f"model.generator: the inputs have {input_shape[0]} channels; colorization starts from gray ones, "
                "degradation=lightness"
            )
        self.network = unet.Generator((2, *image_shape[1:]), input_shape, width, levels, normalization, dropout)
        self.multiple = self.network.multiple

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        light = lightness(input)
        colour = self.network(light / 50 - 1).float() * AB
        return from_lab(torch.cat((light, colour), 1))
