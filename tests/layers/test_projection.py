"""The matrix products at both ends are the convolutions they stand for."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.projection import Projection, Readout


@pytest.mark.parametrize("bias", [False, True])
def test_projection_is_a_transposed_convolution(bias: bool) -> None:
    torch.manual_seed(0)
    projection = Projection(6, channels=5, height=4, width=3, bias=bias).double()
    reference = nn.ConvTranspose2d(6, 5, (4, 3), bias=bias).double()
    with torch.no_grad():
        reference.weight.copy_(projection.weight.view(4, 3, 5, 6).permute(3, 2, 0, 1))
        if bias:
            reference.bias.copy_(torch.arange(5.0))  # one bias per channel there, one per place here
            projection.bias.copy_(torch.arange(5.0).repeat(12))
    latent = torch.randn(7, 6, dtype=torch.float64)
    features = projection(latent)
    assert_close(features, reference(latent[:, :, None, None]))
    assert features.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_readout_is_a_convolution_over_the_whole_map(bias: bool, memory_format: torch.memory_format) -> None:
    torch.manual_seed(0)
    readout = Readout(channels=5, height=4, width=3, bias=bias).double()
    reference = nn.Conv2d(5, 1, (4, 3), bias=bias).double()
    with torch.no_grad():
        reference.weight.copy_(readout.weight.view(1, 4, 3, 5).permute(0, 3, 1, 2))
        if bias:
            reference.bias.copy_(readout.bias)
    features = torch.randn(7, 5, 4, 3, dtype=torch.float64).to(memory_format=memory_format)
    assert_close(readout(features), reference(features).flatten())


def test_readout_keeps_full_precision_under_autocast() -> None:
    readout = Readout(channels=8, height=4, width=4)
    features = torch.randn(3, 8, 4, 4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = readout(features)
    assert_close(scores, readout(features.float()))
