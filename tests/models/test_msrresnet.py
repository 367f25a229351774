"""MSRResNet: its size, its keys, and that it starts from the bilinear enlargement."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate
from torch.testing import assert_close

from gan_lab.models.msrresnet import Generator
from tests.models.super_resolution import shapes, size, zero


def test_sizes_and_keys() -> None:
    assert size(lambda: Generator(*shapes(4))) == 1_517_571
    assert size(lambda: Generator(*shapes(2))) == 1_369_859
    keys = Generator(*shapes(4), width=2, blocks=2).inner.state_dict().keys()
    layers = ["conv_first", "body.0.conv1", "body.1.conv2", "upconv1", "upconv2", "conv_hr", "conv_last"]
    assert {f"{layer}.weight" for layer in layers} <= set(keys)
    assert Generator(*shapes(3), width=2, blocks=1).inner.upconv1.out_channels == 18


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_without_its_last_layer_it_is_bilinear(scale: int) -> None:
    generator = Generator(*shapes(scale, side=6), width=4, blocks=1)
    images = torch.rand(2, 3, 6, 7) * 2 - 1
    zero(generator.inner.conv_last)
    expected = interpolate(images, scale_factor=float(scale), mode="bilinear", align_corners=False)
    assert_close(generator(images), expected, rtol=0, atol=1e-6)
