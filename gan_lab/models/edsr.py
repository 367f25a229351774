"""EDSR (Lim et al. 2017, arXiv:1707.02921): residual blocks without normalisation, for one scale.

A 3x3 convolution, `blocks` of two, one more, a shortcut around all of them, a sub-pixel convolution for every doubling
(one for a scale of 3) without an activation, a 3x3 convolution to the image. The mean colour of DIV2K is taken away
before and added behind; inside, values are of [0, 255]. 64 channels and 16 blocks are the paper's baseline; 256, 32
and `residual` 0.1 its EDSR. Keys are those of BasicSR's published weights.

Ours, and the default of no paper: `skip: bicubic` adds what the network says to the bicubic enlargement of the input
(torch's kernel, a = -0.75), so that a fresh one is as good as that and all of it is learned from there on; `direct`
ends in one convolution straight to the pixels (arXiv:1609.05158), whose first weights are a tenth of torch's, alike
for all pixels of a square (arXiv:1707.02937). Both at 32 channels and 5 blocks learn in minutes of a processor.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_lab.layers.plain_residual import PlainBlock
from gan_lab.layers.unit_range import UnitRange
from gan_lab.layers.upscaling import scale_between, shuffled, without_checkerboard

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's red, green and blue
LEVELS = 255.0
SKIPS = (None, "bicubic")


class EDSR(nn.Module):
    """(N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W)."""

    mean: Tensor

    def __init__(
        self, channels: int, scale: int, width: int, blocks: int, residual: float, skip: str | None, direct: bool
    ) -> None:
        super().__init__()
        self.scale, self.skip = scale, skip
        self.levels = LEVELS if skip is None else 1.0
        mean = torch.tensor(MEAN if channels == 3 else [sum(MEAN) / 3] * channels)
        self.register_buffer("mean", mean.view(1, channels, 1, 1) * (skip is None), persistent=False)
        self.conv_first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(*(PlainBlock(width, residual) for _ in range(blocks)))
        self.conv_after_body = nn.Conv2d(width, width, 3, padding=1)
        self.upsample = nn.Sequential() if direct else shuffled(width, scale)
        self.conv_last = nn.Conv2d(width, channels * scale**2 if direct else channels, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale if direct else 1)
        if skip is not None:
            with torch.no_grad():
                for parameter in without_checkerboard(self.conv_last, scale if direct else 1).parameters():
                    parameter.mul_(0.1)

    def forward(self, images: Tensor) -> Tensor:
        shallow: Tensor = self.conv_first((images - self.mean) * self.levels)
        deep = shallow + self.conv_after_body(self.body(shallow))
        made: Tensor = self.shuffle(self.conv_last(self.upsample(deep))) / self.levels + self.mean
        if self.skip is None:
            return made
        return made + interpolate(images, scale_factor=float(self.scale), mode="bicubic", align_corners=False)


class Generator(UnitRange):
    """Images (N, C, H, W) in [-1, 1] to larger ones. The shapes say by how much: 1, 2, 3, 4 or 8.

    Raises ValueError for another scale, and for a `skip` that is neither None nor `bicubic`.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        blocks: int = 16,
        residual: float = 1.0,
        skip: str | None = None,
        direct: bool = False,
    ) -> None:
        if skip not in SKIPS:
            raise ValueError(f"skip must be null or bicubic, not {skip!r}")
        scale = scale_between(input_shape, image_shape, (1, 2, 3, 4, 8))
        super().__init__(EDSR(image_shape[0], scale, width, blocks, residual, skip, direct))
