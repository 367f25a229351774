"""ESRGAN's discriminator: its size, its layers, other sizes of images."""

from __future__ import annotations

import torch
from torch import nn

from gan_lab.models.esrgan import Discriminator
from tests.models.super_resolution import size


def test_sizes() -> None:
    assert size(lambda: Discriminator((3, 128, 128))) == 14_499_401
    assert size(lambda: Discriminator((3, 256, 256))) == 21_055_049


def test_layers() -> None:
    network = Discriminator((3, 128, 128), width=2)
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [(conv.out_channels, conv.kernel_size[0], conv.stride[0]) for conv in convs] == [
        (width, *layer) for width in (2, 4, 8, 16, 16) for layer in ((3, 1), (4, 2))
    ]
    assert [conv.bias is not None for conv in convs] == [True] + [False] * 9
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 9
    assert Discriminator((1, 16, 16), width=2)(torch.randn(5, 1, 16, 16), None).scores.shape == (5,)
