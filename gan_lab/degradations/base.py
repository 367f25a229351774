"""The contract of what makes an input out of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Degradation(nn.Module, ABC):
    """From images `(N, C, H, W)` in [-1, 1] to inputs `(N, C', H', W')` in [-1, 1], on the device.

    It is part of a captured round: nothing of it asks the device for a number, and what it draws it draws from the
    default generator of the device, anew for every image. Constructors raise ValueError for settings that cannot be,
    `shape` for images that they do not fit.
    """

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor: ...

    def shape(self, image: tuple[int, int, int]) -> tuple[int, int, int]:
        """`(C', H', W')` of the inputs of images of the shape `(C, H, W)`."""
        return image
