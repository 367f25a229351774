"""Without colour, as most programs make a picture gray."""

from __future__ import annotations

from torch import Tensor

from gan_lab.degradations.base import Degradation, Sides

WEIGHTS = (0.299, 0.587, 0.114)


class Gray(Degradation):
    """The luma of ITU-R BT.601, one channel; a gray image is itself."""

    restores = False

    def forward(self, images: Tensor) -> Tensor:
        return luma(images)

    def given(self, pictures: Tensor, hole: Tensor | None = None) -> Tensor:
        return luma(pictures)

    def shape(self, image: Sides) -> Sides:
        return 1, *image[1:]


def luma(images: Tensor) -> Tensor:
    """`(N, 1, H, W)`: 0.299 red + 0.587 green + 0.114 blue."""
    if images.shape[1] == 1:
        return images
    red, green, blue = WEIGHTS
    return red * images[:, :1] + green * images[:, 1:2] + blue * images[:, 2:3]
