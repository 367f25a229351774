"""Networks as small as they can be that still need every part of a round."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.algorithms.stage import Stage
from gan_lab.degradations.base import Degradation


class Translator(nn.Module):
    """An image from an image of the same size: `(N, C, H, W)` to `(N, channels, H, W)`."""

    def __init__(self, inputs: int, channels: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels, 1)
        )

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(image).tanh()


class Enlarger(nn.Module):
    """An image two times as high and wide: `(N, C, H, W)` to `(N, C, 2 H, 2 W)`."""

    def __init__(self, channels: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(image).tanh()


class Judge(nn.Module):
    """A map of scores `(N, 1, H / 2, W / 2)` of an image, beside its condition where it has one."""

    def __init__(self, channels: int, conditions: int = 0, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels + conditions, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 1)
        )

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(image if condition is None else torch.cat((image, condition), 1))


class Maker(nn.Module):
    """`(N, dim)` to `(N, channels, size, size)`, beside its condition where it has one."""

    def __init__(self, dim: int, channels: int, size: int, conditions: int = 0, width: int = 4) -> None:
        super().__init__()
        self.size = size
        self.first = nn.Linear(dim, width * size * size)
        self.last = nn.Conv2d(width + conditions, channels, 3, padding=1)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = self.first(latent).relu().view(len(latent), -1, self.size, self.size)
        return self.last(maps if condition is None else torch.cat((maps, condition), 1)).tanh()


class InStages(nn.Module):
    """What a network that grows remembers: how far its new block has faded in, and whether it is there at all."""

    fade: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fade", torch.zeros(()))
        self.grown = False

    def enter(self, stage: Stage) -> None:
        self.grown = stage.image_size is None

    def get_extra_state(self) -> bool:
        return self.grown

    def set_extra_state(self, state: bool) -> None:
        self.grown = state


class GrowingMaker(InStages):
    """`Maker` of half the size, or with a second block of the whole size that fades in."""

    def __init__(self, dim: int, channels: int, size: int) -> None:
        super().__init__()
        self.small, self.large = Maker(dim, channels, size // 2), nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        image = self.small(latent)
        if not self.grown:
            return image
        image = nn.functional.interpolate(image, scale_factor=2.0)
        return torch.lerp(image, self.large(image).tanh(), self.fade)


class GrowingJudge(InStages):
    """Scores `(N, 1)` of images of half the size, or of the whole size through a first block that fades in."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.large, self.small = nn.Conv2d(channels, channels, 3, padding=1), nn.Linear(channels * (size // 2) ** 2, 1)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.grown:
            image = nn.functional.avg_pool2d(torch.lerp(image, self.large(image), self.fade), 2)
        return self.small(image.flatten(1))


class Darker(Degradation):
    """Half as bright."""

    def forward(self, images: Tensor) -> Tensor:
        return (images - 1) / 2
