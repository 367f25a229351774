"""Larger maps out of more channels: what networks of super-resolution end with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn


def scale_between(input_shape: Sequence[int], image_shape: Sequence[int], scales: Sequence[int]) -> int:
    """By how much each side of an image is larger than its input's. Raises ValueError where that is none of `scales`,
    or the channels differ."""
    channels, height, width = image_shape
    scale = height // input_shape[1]
    if scale not in scales or [*input_shape] != [channels, height / scale, width / scale]:
        given, wanted = ("x".join(map(str, shape)) for shape in (input_shape, image_shape))
        raise ValueError(
            f"from inputs of {given} to images of {wanted}: this network enlarges both sides by "
            f"{', '.join(map(str, scales))} and keeps the channels (degradation=downscale degradation.scale=...)"
        )
    return scale


def steps_to(scale: int) -> list[int]:
    """The factors that a network enlarges by, one after the other: twos, or a single other one."""
    doublings = scale.bit_length() - 1
    return [2] * doublings if scale == 2**doublings else [scale]


def shuffled(channels: int, scale: int, activation: Callable[[], nn.Module] | None = None) -> nn.Sequential:
    """To `scale` times the resolution by sub-pixel convolutions (Shi et al. 2016, arXiv:1609.05158), a 3x3 convolution
    and a pixel shuffle for each factor of `steps_to`, and an activation, where there is one."""
    layers: list[nn.Module] = []
    for factor in steps_to(scale):
        layers += [nn.Conv2d(channels, channels * factor**2, 3, padding=1), nn.PixelShuffle(factor)]
        layers += [] if activation is None else [activation()]
    return nn.Sequential(*layers)


@torch.no_grad()
def without_checkerboard(conv: nn.Conv2d, scale: int) -> nn.Conv2d:
    """Give a convolution in front of a pixel shuffle the same first kernel for all `scale`^2 places of a pixel, so that
    what is shuffled begins as nearest-neighbour enlargement (ICNR: Aitken et al. 2017, arXiv:1707.02937); returns it.
    """
    conv.weight.copy_(conv.weight[:: scale**2].repeat_interleave(scale**2, 0))
    if conv.bias is not None:
        conv.bias.copy_(conv.bias[:: scale**2].repeat_interleave(scale**2))
    return conv


def scaled(conv: nn.Conv2d, factor: float) -> nn.Conv2d:
    """Kaiming's normal first weights (arXiv:1502.01852), `factor` times, and no bias: residual networks without norms
    begin near their shortcuts; returns it."""
    nn.init.kaiming_normal_(conv.weight)
    with torch.no_grad():
        conv.weight.mul_(factor)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
