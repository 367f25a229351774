"""SRResNet and SRGAN's discriminator: sizes by the paper, the shortcut, the order of strides."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.models.srresnet import Discriminator, Generator
from tests.models.super_resolution import shapes, size, zero


def test_sizes() -> None:
    assert size(lambda: Generator(*shapes(4))) == 1_549_462
    assert size(lambda: Generator(*shapes(2))) == 1_401_749
    assert size(lambda: Discriminator((3, 96, 96))) == 23_565_505


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_every_scale(scale: int) -> None:
    image, given = shapes(scale, side=6, channels=1)
    generator = Generator(image, given, width=4, blocks=2)
    assert generator(torch.randn(2, *given), None).shape == (2, *image)
    assert generator(torch.randn(2, 1, 5, 9)).shape == (2, 1, 5 * scale, 9 * scale)


def test_the_long_shortcut_goes_around_all_blocks() -> None:
    """With nothing after the blocks the enlargement sees the first layer alone."""
    torch.manual_seed(0)
    net = Generator(*shapes(2), width=4, blocks=2).inner
    images = torch.rand(2, 3, 6, 6)
    zero(net.body_end)
    assert_close(net(images), net.to_image(net.enlarge(net.head(images))))


def test_strides_and_widths_of_the_discriminator() -> None:
    """Figure 4 of the paper: k3n64s1, k3n64s2, k3n128s1, k3n128s2, k3n256s1, ..., no norm on the first."""
    with torch.device("meta"):
        network = Discriminator((3, 96, 96))
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [(conv.out_channels, conv.stride[0]) for conv in convs] == [
        (width, stride) for width in (64, 128, 256, 512) for stride in (1, 2)
    ]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 7
    scores = Discriminator((1, 16, 16), width=4)(torch.randn(5, 1, 16, 16), None).scores
    assert scores.shape == (5,)
