"""Attention against an explicit loop over samples and places, and where it goes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.attention import Attention, doublings


def channels_of(layer: nn.Conv2d) -> tuple[int, int]:
    return layer.in_channels, layer.out_channels


@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_against_a_loop(gamma: float) -> None:
    torch.manual_seed(0)
    layer = Attention(16).double()
    nn.init.constant_(layer.gamma, gamma)
    x = torch.randn(2, 16, 4, 6, dtype=torch.float64)
    layer.requires_grad_(False)
    query, key, value, out = (part.weight[:, :, 0, 0] for part in (layer.query, layer.key, layer.value, layer.out))
    expected = x.clone()
    for n in range(2):
        keys, values = [], []
        for row in range(0, 4, 2):
            for column in range(0, 6, 2):  # the largest of four neighbours, channel by channel
                places = x[n, :, row : row + 2, column : column + 2].flatten(1)
                keys.append((key @ places).amax(1))
                values.append((value @ places).amax(1))
        for row in range(4):
            for column in range(6):
                asked = query @ x[n, :, row, column]
                shares = [math.exp(float(asked @ k)) for k in keys]
                seen = sum(share / sum(shares) * v for share, v in zip(shares, values, strict=True))
                expected[n, :, row, column] += gamma * (out @ seen)
    assert_close(layer(x), expected)
    assert_close(layer(x.contiguous(memory_format=torch.channels_last)), expected, check_stride=False)


def test_channels() -> None:
    layer, narrow = Attention(64), Attention(1)
    assert [channels_of(part) for part in (layer.query, layer.key, layer.value, layer.out)] == [
        (64, 8),
        (64, 8),
        (64, 32),
        (32, 64),
    ]
    assert {channels_of(part) for part in (narrow.query, narrow.key, narrow.value, narrow.out)} == {(1, 1)}
    assert layer.gamma.item() == 0
    assert all(part.bias is None for part in (layer.query, layer.key, layer.value, layer.out))


def test_differentiates_twice() -> None:
    torch.manual_seed(0)
    layer = Attention(8).double()
    nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(1, 8, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x,))


@pytest.mark.parametrize(
    ("rows", "columns", "most", "largest", "expected"),
    [
        (4, 4, 5, 32, 3),  # 128 pixels: 32x32
        (4, 4, 4, 32, 3),  # 64 pixels: 32x32
        (4, 4, 3, 32, 3),  # 32 pixels, generator: 32x32
        (4, 4, 2, 32, 2),  # 32 pixels, discriminator: 16x16
        (7, 7, 2, 32, 2),  # 28 pixels
        (6, 5, 4, 32, 2),  # 96x80: 24x20
        (4, 24, 3, 32, 1),  # nothing fits: one doubling
        (4, 4, 0, 32, 0),  # 8 pixels, discriminator: the last map itself
    ],
)
def test_where_it_goes(rows: int, columns: int, most: int, largest: int, expected: int) -> None:
    assert doublings(rows, columns, most, largest) == expected
