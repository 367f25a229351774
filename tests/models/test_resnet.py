"""The residual networks: the paper's sizes at 32 pixels, and blocks that compute what they say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.testing import assert_close

from gan_lab.layers.projection import Score
from gan_lab.models.resnet import CriticBlock, Discriminator, Generator, InputBlock, UpBlock


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_papers_sizes_at_32_pixels() -> None:
    """The appendix by hand, 128 filters: linear and three up blocks; two down, two plain and a linear score."""
    conv3, conv1 = 9 * 128 * 128 + 128, 128 * 128 + 128
    generator = (129 * 4 * 4 * 128) + 3 * (2 * conv3 + conv1 + 2 * 256) + 256 + (9 * 128 * 3 + 3)
    first = (9 * 3 * 128 + 128) + conv3 + (3 * 128 + 128)
    critic = first + (2 * conv3 + conv1) + 2 * (2 * conv3) + 129
    assert parameters(Generator((3, 32, 32), 128)) == generator
    assert parameters(Discriminator((3, 32, 32))) == critic


@pytest.mark.parametrize(("size", "ups", "last"), [(16, 2, 8), (28, 2, 14), (32, 3, 8), (64, 4, 8), (128, 5, 8)])
def test_blocks_follow_the_image(size: int, ups: int, last: int) -> None:
    generator, discriminator = Generator((1, size, size), 4, width=2), Discriminator((1, size, size), width=2)
    assert len(generator.blocks) == ups
    assert discriminator.blocks(torch.randn(1, 1, size, size)).shape == (1, 2, last, last)
    downs = [block for block in discriminator.blocks if isinstance(block, InputBlock) or block.shortcut is not None]
    assert (len(downs), len(discriminator.blocks)) == (ups - 1, ups + 1)


def test_no_normalisation_in_the_critic() -> None:
    assert {type(m) for m in Discriminator((1, 32, 32), width=2).modules() if not list(m.children())} == {
        nn.Conv2d,
        Score,
    }


def test_up_block() -> None:
    """Shortcut convolved before it is doubled = the paper's, convolved after."""
    torch.manual_seed(0)
    block = UpBlock(3).double()
    x = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    kept = x.clone()

    def double(features: torch.Tensor) -> torch.Tensor:
        return interpolate(features, scale_factor=2.0, mode="nearest")

    residual = block.conv1(double(relu(block.norm1(x))))
    expected = block.conv2(relu(block.norm2(residual))) + block.shortcut(double(x))
    assert_close(block(x), expected)
    assert torch.equal(x, kept)  # no activation in place on what the shortcut reads


@pytest.mark.parametrize("down", [False, True])
def test_critic_block(down: bool) -> None:
    """Shortcut pooled before it is convolved = the authors' code, pooled after."""
    torch.manual_seed(0)
    block = CriticBlock(3, down).double()
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    kept = x.clone()
    expected = block.conv2(relu(block.conv1(relu(x))))
    expected = avg_pool2d(expected, 2) + avg_pool2d(block.shortcut(x), 2) if block.shortcut else expected + x
    assert_close(block(x), expected)
    assert torch.equal(x, kept)


def test_input_block() -> None:
    torch.manual_seed(0)
    block = InputBlock(2, 3).double()
    x = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    expected = avg_pool2d(block.conv2(relu(block.conv1(x))), 2) + block.shortcut(avg_pool2d(x, 2))
    assert_close(block(x), expected)


def test_first_weights() -> None:
    """Glorot uniform: bound sqrt(6 / (fan in + fan out)), times sqrt(2) in the blocks' 3x3 convolutions; biases 0."""
    torch.manual_seed(0)
    generator, discriminator = Generator((3, 32, 32), 128, width=64), Discriminator((3, 32, 32), width=64)
    wide, narrow = math.sqrt(12 / (9 * 128)), math.sqrt(6 / 128)
    expected = [
        (generator.project, math.sqrt(6 / (128 + 1024))),
        (generator.to_image, math.sqrt(6 / (9 * 67))),
        (generator.blocks[0].conv1, wide),
        (generator.blocks[2].conv2, wide),
        (generator.blocks[1].shortcut, narrow),
        (discriminator.blocks[0].conv1, math.sqrt(12 / (9 * 67))),
        (discriminator.blocks[1].conv2, wide),
        (discriminator.blocks[1].shortcut, narrow),
        (discriminator.blocks[3].conv2, wide),
    ]
    for layer, bound in expected:
        weight = layer.weight.detach()
        assert weight.abs().max() <= bound
        assert_close(weight.std(), torch.tensor(bound / math.sqrt(3)), rtol=0.05, atol=0)
        assert layer.bias.count_nonzero() == 0
