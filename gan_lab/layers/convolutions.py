"""Convolutional layers whose arithmetic is done by `gan_lab.layers.products`, whatever network they are part of."""

from __future__ import annotations

import types
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from gan_lab.layers.products import Shape, convolve, spread, worth

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def as_products(module: ModuleT) -> ModuleT:
    """Let every convolution in `module` that can be one compute by these maps, in place; returns it.

    Parameters, state and class stay what they are: only how `forward` computes changes, to rounding. A convolution is
    caught where `forward` hands over its kernel, so that a class may make one of its weights.
    """
    for layer in module.modules():
        if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) or layer.groups != 1 or layer.dilation != (1, 1):
            continue
        if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            continue
        transposed = isinstance(layer, nn.ConvTranspose2d)
        name, compute = ("forward", _transposed) if transposed else ("_conv_forward", _convolution)
        # a bound method of the layer: a copy of the layer gets one of its own
        object.__setattr__(layer, name, types.MethodType(compute, layer))
    return module


def _convolution(self: nn.Conv2d, images: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    images, kernel = _cast(images, kernel)
    height, width = images.shape[-2:]
    shape = Shape(_pair(self.stride), _pair(self.padding), (height, width))
    if not worth(images, kernel, shape):
        return conv2d(images, kernel, bias, shape.stride, shape.padding)
    return _with_bias(convolve(images, kernel, shape), bias)


def _transposed(self: nn.ConvTranspose2d, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
    if output_size is not None:
        return nn.ConvTranspose2d.forward(self, maps, output_size)
    maps, kernel = _cast(maps, self.weight)
    stride, padding = _pair(self.stride), _pair(self.padding)
    height, width = (
        (maps.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + kernel.shape[2 + i] + self.output_padding[i]
        for i in range(2)
    )
    shape = Shape(stride, padding, (height, width))
    if not worth(maps, kernel, shape):
        return conv_transpose2d(maps, kernel, self.bias, stride, padding, self.output_padding)
    return _with_bias(spread(maps, kernel, shape), self.bias)


def _cast(tensor: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """What autocast does to a convolution's arguments."""
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        return tensor.to(dtype), kernel.to(dtype)
    return tensor, kernel


def _with_bias(maps: Tensor, bias: Tensor | None) -> Tensor:
    return maps if bias is None else maps + bias.to(maps.dtype).view(-1, 1, 1)


def _pair(numbers: tuple[int, ...] | str) -> tuple[int, int]:
    return int(numbers[0]), int(numbers[1])
