"""Targets after unsharp masking: what Real-ESRGAN's pixel and perceptual losses aim at."""

from __future__ import annotations

from torch import Tensor

from gan_lab.degradations.sharpen import sharpen
from gan_lab.losses.distances import Distance
from gan_lab.losses.perceptual import Perceptual


class Sharpened(Distance):
    """`distance` to the wanted image sharpened (Wang et al. 2021, arXiv:2107.10833, section 3.5); the discriminator
    compares with the image as it is."""

    def __init__(self, distance: Distance) -> None:
        self.distance = distance

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return self.distance(made, sharpen(wanted))


class SharpenedPerceptual(Perceptual):
    """`Perceptual` with the wanted image sharpened before the network sees it, as above."""

    def compare(self, made: Tensor, wanted: Tensor) -> Tensor:
        return super().compare(made, sharpen(wanted))
