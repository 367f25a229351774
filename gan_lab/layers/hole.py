"""Pictures with a hole: what is known stays, what is missing is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.errors import ConfigError


class Drafts(NamedTuple):
    """What a network made of pictures with a hole: `image` `(N, C, H, W)`, where all that was known is as it was;
    `fine`, what it made before that was put back; `coarse`, what a first network had made, if there is one. A draft
    that is smaller than the image is of its middle."""

    image: Tensor
    fine: Tensor
    coarse: Tensor | None = None


def parts(input: Tensor) -> tuple[Tensor, Tensor]:
    """The picture `(N, C, H, W)` and its hole `(N, 1, H, W)`, bool, of an input `(N, C + 1, H, W)` whose last channel
    is 1 where something is missing."""
    return input[:, :-1], input[:, -1:] > 0.5


def filled(picture: Tensor, hole: Tensor, made: Tensor) -> Tensor:
    """What was made where the hole is, in the dtype of the picture; the picture, bit for bit, elsewhere."""
    return torch.where(hole, made.to(picture.dtype), picture)


def middle(images: Tensor, height: int, width: int) -> Tensor:
    """The middle of images, so large."""
    top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[..., top : top + height, left : left + width]


def check_masked(image_shape: Sequence[int], input_shape: Sequence[int]) -> None:
    """Raise ConfigError unless inputs are images with a mask."""
    (channels, *size), (given, *its_size) = image_shape, input_shape
    if given != channels + 1 or list(size) != list(its_size):
        shapes = " and ".join("x".join(map(str, shape)) for shape in (image_shape, input_shape))
        raise ConfigError(
            f"model.generator: images and inputs of {shapes}; an input is to be the image with a hole, and a mask: "
            "degradation=mask"
        )
