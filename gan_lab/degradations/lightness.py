"""Gray pictures that are as light as their image: what colorization starts from."""

from __future__ import annotations

from torch import Tensor

from gan_lab.degradations.base import Degradation, Sides
from gan_lab.layers.lab import companded, luminance


class Lightness(Degradation):
    """The gray of the image's luminance, one channel: its CIELAB lightness is the image's, so that colour alone is
    missing. (The luma of `Gray` is another gray: of pure blue it has L = 10, where blue has 32.)"""

    def forward(self, images: Tensor) -> Tensor:
        return images if images.shape[1] == 1 else companded(luminance(images))

    def shape(self, image: Sides) -> Sides:
        return 1, *image[1:]
