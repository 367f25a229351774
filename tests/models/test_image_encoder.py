"""The encoder: its sizes, and that nothing bounds its codes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.models.image_encoder import Encoder


def test_its_layers_are_those_of_dcgans_discriminator() -> None:
    encoder = Encoder([3, 32, 32], 100, width=8)
    convolutions = [each for each in encoder.modules() if isinstance(each, nn.Conv2d)]
    assert [each.out_channels for each in convolutions] == [8, 16, 32]
    assert sum(isinstance(each, nn.BatchNorm2d) for each in encoder.modules()) == 2
    assert encoder.to_code.in_features == 32 * 4 * 4
    assert encoder(torch.zeros(2, 3, 32, 32)).shape == (2, 100)


def test_codes_are_not_bounded() -> None:
    encoder = Encoder([1, 8, 8], 4, width=4)
    with torch.no_grad():
        encoder.to_code.bias.fill_(7)
    torch.testing.assert_close(encoder(torch.zeros(2, 1, 8, 8)), torch.full((2, 4), 7.0))


def test_a_size_that_does_not_halve() -> None:
    with pytest.raises(ValueError, match="does not halve"):
        Encoder([1, 9, 9], 4)
