"""The U-Net of pix2pix (Isola et al. 2016, arXiv:1611.07004, appendix 6.1.1): down to a point and up again, with what
was seen on the way down beside what is made on the way up.

Every convolution has a kernel of 4 and a stride of 2. Down: LeakyReLU 0.2, convolution, norm; the first has no norm
and nothing before it, the innermost no norm. Up: ReLU, transposed convolution, norm, dropout; Tanh at the end. Dropout
is in the levels from the fifth to the last but one, as in the authors' code: three of eight levels, two of seven, none
of five. With BatchNorm only the last convolution has a bias. Weights from N(0, 0.02).

The noise of this generator is its dropout, in use as in training: `gan_lab.layers.dropout.drawing` says what it draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError
from gan_lab.layers.dropout import UseDropout
from gan_lab.layers.image_norm import normalization_of
from gan_lab.models.dcgan import initialise

DEEPEST = 8  # levels
AUTO = "auto"  # None in runs of 0.8.0
WIDEST = 8  # times the width


class Generator(nn.Module):
    """Inputs (N, C', H, W) to images (N, C, H, W) in [-1, 1], both of one size. `width` channels at the first level,
    twice as many at each further one, up to eight times.

    `levels`: how often the size is halved; auto: as often as it can be, up to 8 (256 pixels: 8, 128: 7). Both sides of
    what it is given must be multiples of `multiple`, 2 to the power of `levels`. Raises ConfigError for sizes that do
    not halve that often, for fewer than two levels, and for images of another size than their inputs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        levels: int | str | None = AUTO,
        normalization: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        levels = levels_of(image_shape, input_shape, levels)
        self.multiple = 2**levels
        norm, bias = normalization_of(normalization), normalization != "batch"
        wide = [width * min(2**level, WIDEST) for level in range(levels)]
        self.down = nn.ModuleList([nn.Conv2d(input_shape[0], width, 4, stride=2, padding=1, bias=bias)])
        for level in range(1, levels):
            layers: list[nn.Module] = [nn.LeakyReLU(0.2)]
            layers.append(nn.Conv2d(wide[level - 1], wide[level], 4, stride=2, padding=1, bias=bias))
            if level < levels - 1:
                layers.append(norm(wide[level]))
            self.down.append(nn.Sequential(*layers))
        self.up = nn.ModuleList()  # from the innermost
        for level in range(levels - 1, 0, -1):
            inner = wide[level] if level == levels - 1 else 2 * wide[level]
            convolution = nn.ConvTranspose2d(inner, wide[level - 1], 4, stride=2, padding=1, bias=bias)
            dropped = [UseDropout(dropout)] if 4 <= level < levels - 1 else []
            self.up.append(nn.Sequential(nn.ReLU(), convolution, norm(wide[level - 1]), *dropped))
        out = nn.ConvTranspose2d(2 * width, image_shape[0], 4, stride=2, padding=1)
        self.up.append(nn.Sequential(nn.ReLU(), out, nn.Tanh()))
        self.apply(initialise)

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        seen = []
        features = input
        for layers in self.down:
            features = layers(features)
            seen.append(features)
        for layers in self.up[:-1]:
            seen.pop()
            features = torch.cat((seen[-1], layers(features)), 1)
        images: Tensor = self.up[-1](features)
        return images


def levels_of(image_shape: Sequence[int], input_shape: Sequence[int], levels: int | str | None) -> int:
    """How often the size is halved. Raises ConfigError, as `Generator` says."""
    height, width = image_shape[1:]
    if tuple(input_shape[1:]) != (height, width):
        small = "x".join(map(str, input_shape[1:]))
        raise ConfigError(
            f"model.generator: makes images of the size of their inputs, which are {small} here and the images "
            f"{height}x{width}; model=edsr makes larger ones"
        )
    most = min((side & -side).bit_length() - 1 for side in (height, width))  # halvings without a rest
    if isinstance(levels, str) and levels != AUTO:
        raise ConfigError(f"model.generator.levels: {levels!r} is neither a number nor {AUTO}")
    if isinstance(levels, int) and 2 <= levels <= most:
        return levels
    if most < 2 or isinstance(levels, int):
        wanted = 2 ** max(2, levels if isinstance(levels, int) else 2)
        raise ConfigError(
            f"model.generator: images of {height}x{width} halve {most} times; choose sides that are multiples of "
            f"{wanted}, by dataset.image_shape or dataset.crop"
            + (", or model.generator.levels" if isinstance(levels, int) else "")
        )
    return min(most, DEEPEST)
