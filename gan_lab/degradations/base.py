"""The contract of what makes an input out of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_lab.config import require_whole
from gan_lab.errors import ConfigError

Sides = tuple[int, int, int]


class Degradation(nn.Module, ABC):
    """From images `(N, C, H, W)` in [-1, 1] to inputs `(N, C', H', W')` in [-1, 1], on the device.

    It is part of a captured round: nothing of it asks the device for a number, and what it draws it draws from the
    default generator of the device, anew for every image. Constructors raise ValueError for settings that cannot be,
    `shape` raises ConfigError for images that they do not fit, whose sides are no multiples of `multiple`.

    `restores`: what is made of an input is that picture, only better, so that of a gray one it is gray. `takes_mask`:
    somebody has to say where pictures have holes.
    """

    restores: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = False
    multiple: int = 1

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor: ...

    def given(self, pictures: Tensor, hole: Tensor | None = None) -> Tensor:
        """The inputs that pictures of somebody's are: themselves, because they are degraded already. `hole`
        `(N, 1, H, W)` is 1 where something is missing, else 0."""
        return pictures

    def shape(self, image: Sides) -> Sides:
        """`(C', H', W')` of the inputs of images of the shape `(C, H, W)`."""
        return image


class Smaller(Degradation):
    """One whose inputs have sides `scale` times smaller than the images'."""

    def __init__(self, scale: int, least: int) -> None:
        super().__init__()
        self.scale = require_whole(scale, "degradation.scale", least)
        self.multiple = self.scale

    def shape(self, image: Sides) -> Sides:
        channels, height, width = image
        if height % self.scale or width % self.scale:
            raise ConfigError(
                f"degradation.scale={self.scale}: does not divide images of {height}x{width}; choose another "
                "dataset.image_shape, or dataset.crop"
            )
        return channels, height // self.scale, width // self.scale


class Span:
    """A number, or the least and the most of one that is drawn for every image, uniformly. `name` is for the message.
    Raises ValueError for what is neither, and for numbers below `least` or above `most`."""

    def __init__(self, given: float | Sequence[float], name: str, least: float = 0, most: float = float("inf")) -> None:
        ends = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given, given]
        numbers = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
        if len(ends) != 2 or not numbers or not least <= ends[0] <= ends[1] <= most:
            raise ValueError(f"{name}={given}: a number from {least:g} to {most:g}, or [least, most] of them")
        self.low, self.high = ends

    def draw(self, images: Tensor) -> Tensor:
        """A number for every image, `(N, 1, 1, 1)`."""
        if self.low == self.high:
            return torch.full((len(images), 1, 1, 1), float(self.low), device=images.device)
        return torch.rand(len(images), 1, 1, 1, device=images.device) * (self.high - self.low) + self.low


def levels(images: Tensor) -> Tensor:
    """[-1, 1] as the 256 levels of a file, whole numbers from 0 to 255, in floats that hold sums of them exactly: in
    double precision, which no matrix product rounds to less; where there is none (MPS) in single."""
    exact = images if images.device.type == "mps" else images.double()
    return whole((exact + 1) * 127.5)


def whole(values: Tensor) -> Tensor:
    """Rounded to levels, halves up, within 0 and 255."""
    return (values + 0.5).floor().clamp(0, 255)


def from_levels(values: Tensor) -> Tensor:
    """256 levels as [-1, 1] in float32."""
    return (values / 127.5 - 1).float()
