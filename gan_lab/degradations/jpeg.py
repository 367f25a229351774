"""Compression: what the repair of JPEG's artefacts starts from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from gan_lab.degradations.base import Degradation, Span, from_levels, levels, whole

LUMINANCE = (  # table K.1 of ITU-T T.81, row by row
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (  # table K.2
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *([99] * 32),
)
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


class Jpeg(Degradation):
    """An image after JPEG of `quality` 1 to 100, computed and not encoded: colour differences at half the resolution
    (4:2:0), cosines of blocks of 8x8, rounded by the tables of ITU-T T.81 as libjpeg scales them, and all the way back,
    colour differences interpolated. Rounding is real, so nothing is to be differentiated through it. With [least, most]
    every image has its own whole quality."""

    def __init__(self, quality: int | Sequence[int] = (30, 95)) -> None:
        super().__init__()
        self.quality = Span(quality, "quality", least=1, most=100)
        tables = torch.tensor([LUMINANCE, CHROMINANCE], dtype=torch.float32).view(2, 1, 8, 8)
        self.register_buffer("tables", tables, persistent=False)
        self.tables: Tensor

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        quality = self._quality(images)
        values = levels(images)
        if images.shape[1] == 1:
            return from_levels(self._coded(values, self.tables[0], quality)[..., :height, :width])
        bright, *others = (mixed[:, None] for mixed in _mixed(values, TO_YCC).unbind(1))
        colour = whole(torch.cat(others, 1) + 128)
        colour = whole(avg_pool2d(_padded(colour, 2), 2))
        colour = self._coded(colour, self.tables[1], quality)
        colour = interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False).round() - 128
        bright = self._coded(whole(bright), self.tables[0], quality)
        ycc = torch.cat([bright[..., :height, :width], colour[..., :height, :width]], 1)
        return from_levels(whole(_mixed(ycc, TO_RGB)))

    def _quality(self, images: Tensor) -> Tensor:
        """A whole number for every image, `(N, 1, 1, 1)`."""
        low, high = int(self.quality.low), int(self.quality.high)
        return torch.randint(low, high + 1, (len(images), 1, 1, 1), device=images.device)

    def _coded(self, values: Tensor, table: Tensor, quality: Tensor) -> Tensor:
        """Pictures of levels after coding, padded to whole blocks."""
        scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2.0 * quality)
        steps = ((table * scale + 50) / 100).floor().clamp(1, 255).view(-1, 1, 1, 1, 8, 8).to(values.dtype)
        cosines = dct(values.device, values.dtype)
        blocks = _blocks(_padded(values, 8)) - 128
        rounded = ((cosines @ blocks @ cosines.T) / steps).round() * steps
        return whole(_whole_picture(cosines.T @ rounded @ cosines) + 128)


def dct(device: torch.device, dtype: torch.dtype) -> Tensor:
    """`(8, 8)`, orthonormal: row k holds the cosine of k half periods."""
    places = torch.arange(8, device=device, dtype=dtype)
    cosines = torch.cos((2 * places + 1) * places[:, None] * math.pi / 16) / 2
    return torch.cat([cosines[:1] / math.sqrt(2), cosines[1:]])


def _mixed(values: Tensor, matrix: Sequence[Sequence[float]]) -> Tensor:
    """Every pixel's three numbers mixed to three others."""
    three = values.unbind(1)
    return torch.stack([sum(share * channel for share, channel in zip(row, three, strict=True)) for row in matrix], 1)  # type: ignore[misc]


def _padded(values: Tensor, multiple: int) -> Tensor:
    """The last row and column repeated, until `multiple` divides height and width."""
    height, width = values.shape[2:]
    return pad(values, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def _blocks(values: Tensor) -> Tensor:
    """`(N, C, H, W)` to `(N, C, H / 8, W / 8, 8, 8)`."""
    n, channels, height, width = values.shape
    return values.reshape(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)


def _whole_picture(blocks: Tensor) -> Tensor:
    n, channels, down, across, *_ = blocks.shape
    return blocks.transpose(3, 4).reshape(n, channels, 8 * down, 8 * across)
