"""What an equalized layer is to its optimizer, and to its input."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d
from torch.testing import assert_close

from gan_lab.layers import products
from gan_lab.layers.convolutions import as_products
from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear


def function_of(layer: EqualizedLinear) -> tuple[Tensor, Tensor]:
    """W and b of the affine function that the layer is."""
    with torch.no_grad():
        origin = layer(torch.zeros(1, layer.weight.shape[1]))
        return (layer(torch.eye(layer.weight.shape[1])) - origin).T, origin[0]


@pytest.mark.parametrize(("gain", "multiplier"), [(1.0, 1.0), (math.sqrt(2), 0.01)])
def test_a_step_of_adam_moves_by_the_rate_times_the_scale(gain: float, multiplier: float) -> None:
    torch.manual_seed(0)
    layer = EqualizedLinear(7, 5, gain=gain, multiplier=multiplier)
    before = function_of(layer)
    adam = torch.optim.Adam(layer.parameters(), lr=0.25, betas=(0.0, 0.99), eps=1e-12)
    layer(torch.randn(3, 7)).square().sum().backward()
    adam.step()
    after = function_of(layer)
    rate = 0.25 * multiplier * gain
    assert_close((after[0] - before[0]).abs(), torch.full((5, 7), rate / math.sqrt(7)), rtol=1e-4, atol=1e-6)
    assert_close((after[1] - before[1]).abs(), torch.full((5,), rate), rtol=1e-4, atol=1e-6)


def test_the_first_function() -> None:
    """Unit input has variance gain^2 behind it, whatever the multiplier; the bias is what was asked for."""
    torch.manual_seed(0)
    layer = EqualizedLinear(400, 300, bias=1.0, gain=3.0, multiplier=0.1)
    weight, bias = function_of(layer)
    assert_close(weight.square().sum(1).mean(), torch.tensor(9.0), rtol=0.02, atol=0)
    assert_close(bias, torch.full((300,), 3.0))
    bare = EqualizedLinear(7, 5, bias=None, gain=2.0)
    assert_close(bare(torch.eye(7)), bare.weight.T * 2 / math.sqrt(7))
    assert len(list(bare.parameters())) == 1


def test_a_convolution_by_hand() -> None:
    torch.manual_seed(0)
    layer = EqualizedConv2d(4, 6, 3, stride=2, gain=3.0).double()
    images = torch.randn(2, 4, 8, 6, dtype=torch.float64)
    assert layer.bias is not None
    assert not layer.bias.any()
    nn.init.normal_(layer.bias)
    expected = conv2d(images, layer.weight * 3 / math.sqrt(36), 3 * layer.bias, stride=2, padding=1)
    assert_close(layer(images), expected)
    assert_close(EqualizedConv2d(40, 60, 3).weight.var(), torch.tensor(1.0), rtol=0.05, atol=0)
    assert EqualizedConv2d(4, 6, 3, padding=0, bias=False)(images.float()).shape == (2, 6, 6, 4)


def test_products_see_the_scaled_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = EqualizedConv2d(5, 6, 3, gain=2.0)
    nn.init.normal_(layer.bias)  # type: ignore[arg-type]
    images = torch.randn(2, 5, 4, 4)
    expected = layer(images)
    monkeypatch.setattr(products, "_worth", lambda *about: True)
    assert_close(as_products(layer)(images), expected)


def test_refusal() -> None:
    for multiplier in (0.0, math.inf):
        with pytest.raises(ValueError, match="multiplier must be a number above 0"):
            EqualizedLinear(2, 2, multiplier=multiplier)


def test_a_gain_of_the_weights_alone() -> None:
    torch.manual_seed(0)
    conv, linear = EqualizedConv2d(4, 6, 3, gain=3.0, bias_gain=1.0), EqualizedLinear(7, 5, gain=3.0, bias_gain=0.5)
    assert conv.bias is not None
    nn.init.normal_(conv.bias)
    assert_close(conv(torch.zeros(1, 4, 2, 2))[0, :, 0, 0], conv.bias)
    assert linear.bias is not None
    nn.init.normal_(linear.bias)
    weight, bias = function_of(linear)
    assert_close(bias, 0.5 * linear.bias.detach())
    assert_close(weight, linear.weight.detach() * 3 / math.sqrt(7))
