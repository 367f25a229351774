"""A convolution and a change of size in one are the two after each other, in what they make and in what they learn."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate
from torch.testing import assert_close

from gan_lab.layers.convolutions import as_products
from gan_lab.layers.scaled_convolution import EnlargingConv2d, HalvingConv2d


def gradients(made: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(made.sin().sum(), of, create_graph=True)


def test_enlarging_by_hand() -> None:
    torch.manual_seed(0)
    layer = EnlargingConv2d(5, 3, gain=2.0).double()
    maps = torch.randn(2, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    assert layer.bias is not None
    assert not layer.bias.any()
    nn.init.normal_(layer.bias)
    twice = interpolate(maps, scale_factor=2.0)
    expected = conv2d(twice, layer.weight * 2 / math.sqrt(45), layer.bias, padding=1)
    assert_close(layer(maps), expected)
    for one, other in zip(*(gradients(made, maps, layer.weight) for made in (layer(maps), expected)), strict=True):
        assert_close(one, other)
    assert_close(EnlargingConv2d(40, 60).weight.var(), torch.tensor(1.0), rtol=0.05, atol=0)


def test_halving_by_hand() -> None:
    torch.manual_seed(0)
    layer = HalvingConv2d(5, 3, gain=2.0, bias_gain=1.0).double()
    maps = torch.randn(2, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    assert layer.bias is not None
    nn.init.normal_(layer.bias)
    expected = avg_pool2d(conv2d(maps, layer.weight * 2 / math.sqrt(45), layer.bias, padding=1), 2)
    assert_close(layer(maps), expected)
    assert_close(as_products(layer)(maps), expected)
    for one, other in zip(*(gradients(made, maps, layer.weight) for made in (layer(maps), expected)), strict=True):
        assert_close(one, other)


def test_they_differentiate_twice() -> None:
    for kind in (EnlargingConv2d, HalvingConv2d):
        layer = kind(1, 2).double()
        maps = torch.randn(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradgradcheck(lambda x, w, layer=layer: with_weight(layer, x, w), (maps, layer.weight))


def with_weight(layer: nn.Module, maps: Tensor, weight: Tensor) -> Tensor:
    made: Tensor = torch.func.functional_call(layer, {"weight": weight}, (maps,))
    return made
