"""The residual blocks compute what the papers write down."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.testing import assert_close

from gan_lab.layers.conditional_norm import ClassNorm
from gan_lab.layers.residual import DownBlock, UpBlock


def test_up_block() -> None:
    """The shortcut convolved before it is doubled = the papers', convolved after."""
    torch.manual_seed(0)
    block = UpBlock(3, 2, partial(ClassNorm, num_classes=4)).double()
    x, label = torch.randn(4, 3, 5, 5, dtype=torch.float64), torch.tensor([0, 1, 2, 3])
    kept = x.clone()
    residual = block.conv1(interpolate(relu(block.norm1(x, label)), scale_factor=2.0))
    expected = block.conv2(relu(block.norm2(residual, label))) + block.shortcut(interpolate(x, scale_factor=2.0))
    assert_close(block(x, label), expected)
    assert torch.equal(x, kept)  # no activation in place on what the shortcut reads


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("out", "down"), [(3, False), (3, True), (5, True), (5, False)])
def test_down_block(out: int, down: bool, first: bool) -> None:
    """The shortcut pooled before it is convolved = the papers', pooled after."""
    torch.manual_seed(0)
    block = DownBlock(3, 4, out, down, first).double()
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    kept = x.clone()
    expected = block.conv2(relu(block.conv1(x if first else relu(x))))
    expected = expected + (block.shortcut(x) if down or out != 3 else x)
    assert_close(block(x), avg_pool2d(expected, 2) if down else expected)
    assert torch.equal(x, kept)
