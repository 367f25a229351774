"""The gate of a gated convolution, open and shut, and what it looks at."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, elu, relu
from torch.testing import assert_close

from gan_lab.layers.gated_convolution import GatedConvolution, GatedUpsampling


def layer_with_gate(bias: float, **more: object) -> GatedConvolution:
    torch.manual_seed(0)
    layer = GatedConvolution(3, 2, **more).double()  # type: ignore[arg-type]
    with torch.no_grad():
        assert layer.conv.bias is not None
        layer.conv.bias[2:] = bias
    return layer


def test_a_shut_gate_lets_nothing_through_and_an_open_one_all() -> None:
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert not layer_with_gate(-torch.inf)(x).any()
    layer = layer_with_gate(torch.inf)
    assert layer.conv.bias is not None
    values = conv2d(x, layer.conv.weight[:2], layer.conv.bias[:2], padding=1)
    assert_close(layer(x), elu(values))
    layer.activation = relu
    assert_close(layer(x), relu(values))


def test_the_second_half_is_the_gate() -> None:
    layer = layer_with_gate(0.0)
    x = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    values, gate = layer.conv(x)[:, :2], layer.conv(x)[:, 2:]
    assert_close(layer(x), elu(values) / (1 + torch.exp(-gate)))


@pytest.mark.parametrize(
    ("more", "size"), [({"kernel": 5}, 9), ({"stride": 2}, 5), ({"dilation": 4}, 9), ({"kernel": 5, "stride": 2}, 5)]
)
def test_sizes(more: dict[str, int], size: int) -> None:
    assert GatedConvolution(3, 2, **more)(torch.zeros(1, 3, 9, 9)).shape == (1, 2, size, size)  # type: ignore[arg-type]


def test_twice_the_size_is_every_pixel_four_times() -> None:
    layer = GatedUpsampling(1, 1)
    nn.init.dirac_(layer.conv.weight[:1].data)
    nn.init.zeros_(layer.conv.weight[1:])
    nn.init.zeros_(layer.conv.bias)  # type: ignore[arg-type]
    found = layer(torch.tensor([[[[1.0, 2.0]]]]))
    assert_close(found, torch.tensor([[[[0.5, 0.5, 1.0, 1.0]] * 2]]).view(1, 1, 2, 4))
