"""The image itself: for networks that make images again."""

from __future__ import annotations

from torch import Tensor

from gan_lab.degradations.base import Degradation


class Identity(Degradation):
    """Inputs are the images."""

    def forward(self, images: Tensor) -> Tensor:
        return images
