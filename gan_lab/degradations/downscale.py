"""Smaller pictures: what super-resolution starts from."""

from __future__ import annotations

from torch import Tensor

from gan_lab.degradations.base import Smaller, from_levels, levels, whole
from gan_lab.degradations.resize import resize


class Downscale(Smaller):
    """`scale` times smaller on each side: bicubic, antialiased, in 256 levels after rows and again after columns, as
    MATLAB's imresize made the published test sets (Set5, Set14, BSD100), with clamped edges as its older versions had.
    """

    def __init__(self, scale: int = 4) -> None:
        super().__init__(scale, least=2)

    def forward(self, images: Tensor) -> Tensor:
        _, height, width = self.shape((images.shape[1], images.shape[2], images.shape[3]))
        rows = whole(resize(levels(images), height, images.shape[3]))
        return from_levels(whole(resize(rows, height, width)))
