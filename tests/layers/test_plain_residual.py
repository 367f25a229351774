"""The block without normalisation."""

from __future__ import annotations

import torch
from torch.nn.functional import conv2d, relu
from torch.testing import assert_close

from gan_lab.layers.plain_residual import PlainBlock


def test_a_shortcut_and_a_part_of_two_convolutions() -> None:
    torch.manual_seed(0)
    block = PlainBlock(3, scale=0.1)
    features = torch.randn(2, 3, 6, 5)
    one, two = block.conv1, block.conv2
    residual = conv2d(relu(conv2d(features, one.weight, one.bias, padding=1)), two.weight, two.bias, padding=1)
    assert_close(block(features), features + 0.1 * residual)
    assert_close(PlainBlock(3)(features).shape, features.shape)
