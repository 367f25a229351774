"""The PatchGAN: a discriminator that judges every patch of an image by itself (Isola et al. 2016, arXiv:1611.07004,
section 3.2.2 and appendix 6.1.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.layers.image_norm import normalization_of
from gan_lab.models.dcgan import initialise

STRIDED = {1: None, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # by the size of a patch: convolutions of stride 2
LEAST = 2  # pixels of the last map that is normalised
WIDEST = 8  # times the width


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N, 1, h, w), each of a square of `patch` pixels: 1, 16, 34, 70, 142 or 286.

    `patch` "auto": 70, or the largest below it that images this small have room for. With `input_shape` it is told
    what an image was made from, as more channels, unless `condition` is None; of another size, that is resized
    bilinearly. Kernels of 4, LeakyReLU 0.2, no norm at the first and the last; a patch of one pixel is judged by 1x1
    convolutions. `halvings`: how often images are made half as large before, by a mean over 3x3 pixels (Wang et al.
    2017, arXiv:1711.11585, section 3.2). `normalization` is "batch", "instance" or "none". Raises ConfigError for
    another patch, and for images that are too small for theirs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int] | None = None,
        width: int = 64,
        patch: int | str = "auto",
        normalization: str = "batch",
        condition: str | None = "input",
        padding: int = 1,
        halvings: int = 0,
    ) -> None:
        super().__init__()
        self.halvings = halvings
        image_shape = (image_shape[0], *(smaller(side, halvings) for side in image_shape[1:]))
        input_shape = None if condition is None else input_shape
        strided = STRIDED[patch_of(image_shape, patch)]
        norm, bias = normalization_of(normalization), normalization != "batch"
        channels = image_shape[0] + (0 if input_shape is None else input_shape[0])
        self.condition_shape = None if input_shape is None else tuple(input_shape)
        self.layers = nn.Sequential()
        if strided is None:
            self.layers.extend([nn.Conv2d(channels, width, 1), nn.LeakyReLU(0.2)])
            self.layers.extend([nn.Conv2d(width, 2 * width, 1, bias=bias), norm(2 * width), nn.LeakyReLU(0.2)])
            self.to_score = nn.Conv2d(2 * width, 1, 1, bias=bias)
        else:
            self.layers.extend([nn.Conv2d(channels, width, 4, stride=2, padding=padding), nn.LeakyReLU(0.2)])
            wide = width
            for level in range(1, strided + 1):
                wider, stride = width * min(2**level, WIDEST), 2 if level < strided else 1
                convolution = nn.Conv2d(wide, wider, 4, stride=stride, padding=padding, bias=bias)
                self.layers.extend([convolution, norm(wider), nn.LeakyReLU(0.2)])
                wide = wider
            self.to_score = nn.Conv2d(wide, 1, 4, stride=1, padding=padding)
        self.apply(initialise)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        if self.condition_shape is not None:
            assert condition is not None, "this discriminator is to be told what an image was made from"
            if condition.shape[2:] != images.shape[2:]:
                condition = interpolate(condition, images.shape[2:], mode="bilinear", antialias=True)
            images = torch.cat((condition, images), 1)
        for _ in range(self.halvings):
            images = avg_pool2d(images, 3, 2, 1, count_include_pad=False)
        maps: list[Tensor] = []
        features = images
        for layer in self.layers:
            features = layer(features)
            if isinstance(layer, nn.LeakyReLU):
                maps.append(features)
        return Critique(self.to_score(features), features, maps=tuple(maps))


def smaller(side: int, halvings: int) -> int:
    """The side of an image after so many halvings."""
    for _ in range(halvings):
        side = (side + 1) // 2
    return side


def patch_of(image_shape: Sequence[int], patch: int | str) -> int:
    """The size of a patch. Raises ConfigError, as `Discriminator` says."""
    side = min(image_shape[1:])
    fitting = [size for size, strided in STRIDED.items() if strided is None or last_map(side, strided) >= LEAST]
    if patch == "auto":
        return max(size for size in fitting if size <= 70)
    if patch not in STRIDED:
        raise ConfigError(f"model.discriminator.patch: {patch!r} is not one of auto, {', '.join(map(str, STRIDED))}")
    if patch not in fitting:
        raise ConfigError(
            f"model.discriminator.patch={patch}: images of {side} pixels have room for one of at most {max(fitting)}"
        )
    return int(patch)


def last_map(side: int, strided: int) -> int:
    """How many pixels the side of the last normalised map has."""
    for _ in range(strided):
        side //= 2
    return side - 1
