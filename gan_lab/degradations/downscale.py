"""Smaller pictures: what super-resolution starts from."""

from __future__ import annotations

from torch import Tensor

from gan_lab.config import require_whole
from gan_lab.degradations.base import Degradation, Sides, from_levels, levels, whole
from gan_lab.degradations.resize import resize
from gan_lab.errors import ConfigError


class Downscale(Degradation):
    """`scale` times smaller on each side: bicubic, antialiased, in 256 levels after rows and again after columns, as
    MATLAB's imresize made the published test sets (Set5, Set14, BSD100), with clamped edges as its older versions had.
    """

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = require_whole(scale, "degradation.scale", least=2)
        self.multiple = self.scale

    def forward(self, images: Tensor) -> Tensor:
        _, height, width = self.shape((images.shape[1], images.shape[2], images.shape[3]))
        rows = whole(resize(levels(images), height, images.shape[3]))
        return from_levels(whole(resize(rows, height, width)))

    def shape(self, image: Sides) -> Sides:
        channels, height, width = image
        if height % self.scale or width % self.scale:
            raise ConfigError(
                f"degradation.scale={self.scale}: does not divide images of {height}x{width}; choose another "
                "dataset.image_shape, or dataset.crop"
            )
        return channels, height // self.scale, width // self.scale
