"""The compact network of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833; SRVGGNetCompact in the authors' code).

3x3 convolutions at the resolution of the input, PReLU with a slope for each channel after each but the last, which has
as many channels as an enlarged pixel needs; a pixel shuffle; plus the input, enlarged to its nearest neighbours. Keys
are those of the published weights, so that other programs load what is trained here.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from gan_lab.layers.unit_range import UnitRange
from gan_lab.layers.upscaling import scale_between


class Compact(nn.Module):
    """(N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), by `blocks` + 2 convolutions."""

    def __init__(self, channels: int, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = []
        for before in [channels, *[width] * blocks]:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, channels * scale**2, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        added = pixel_shuffle(self.body(images), self.scale)
        return added + interpolate(images, scale_factor=float(self.scale), mode="nearest")


class Generator(UnitRange):
    """Images (N, C, H, W) in [-1, 1] to larger ones. The shapes say by how much: 1, 2, 3, 4 or 8, else ValueError."""

    def __init__(
        self, image_shape: Sequence[int], input_shape: Sequence[int], width: int = 64, blocks: int = 16
    ) -> None:
        scale = scale_between(input_shape, image_shape, (1, 2, 3, 4, 8))
        super().__init__(Compact(image_shape[0], scale, width, blocks))
