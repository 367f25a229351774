"""RRDB: sizes, closed forms, what it sees, and that another program makes the same of its weights."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.models.rrdb import DenseBlock, Generator, ResidualInResidual
from tests.models.super_resolution import receptive_field, shapes, size, zero


def test_sizes() -> None:
    assert size(lambda: Generator(*shapes(4))) == 16_697_987
    assert size(lambda: Generator(*shapes(4), blocks=6)) == 4_467_779
    assert size(lambda: Generator(*shapes(2))) == 16_703_171
    one = size(lambda: Generator(*shapes(1))) - size(lambda: Generator(*shapes(4)))
    assert one == (48 - 3) * 64 * 9  # channels of the first layer


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_every_scale(scale: int) -> None:
    image, given = shapes(scale, side=8, channels=1)
    generator = Generator(image, given, width=4, blocks=1, growth=2)
    assert generator(torch.randn(2, *given), None).shape == (2, *image)


def test_blocks_without_weights() -> None:
    """Of three dense blocks that are the identity the block around makes 1.2 times the input, not the input."""
    dense, block = DenseBlock(4, 2), ResidualInResidual(4, 2)
    features = torch.randn(2, 4, 5, 5)
    zero(dense, block)
    assert torch.equal(dense(features), features)
    assert_close(block(features), 1.2 * features)
    zeros = torch.zeros(1, 4, 3, 3)
    for each in (dense, block.rdb1, block.rdb2, block.rdb3):
        torch.nn.init.ones_(each.conv5.bias)
    assert_close(dense(zeros), torch.full_like(zeros, 0.2))
    assert_close(block(zeros), torch.full_like(zeros, 0.12))

    net = Generator(*shapes(4), width=4, blocks=3, growth=2).inner
    zero(net.body)
    maps = torch.randn(1, 4, 3, 3)
    assert_close(net.body(maps), 1.2**3 * maps)


def test_a_dense_block_by_hand() -> None:
    """Each convolution sees the input and all before it; the last has no activation; LeakyReLU 0.2."""
    torch.manual_seed(0)
    block = DenseBlock(3, 2)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    maps = torch.randn(1, 3, 4, 4)
    seen = [maps]
    for conv in (block.conv1, block.conv2, block.conv3, block.conv4):
        made = conv(torch.cat(seen, 1))
        seen.append(torch.where(made > 0, made, 0.2 * made))
    assert_close(block(maps), maps + 0.2 * block.conv5(torch.cat(seen, 1)))


@pytest.mark.parametrize(("blocks", "rows"), [(1, 38), (2, 68)])
def test_receptive_field(blocks: int, rows: int) -> None:
    net = Generator(*shapes(4), width=2, blocks=blocks, growth=1).inner
    assert receptive_field(net, side=rows + 6, scale=4) == rows


def test_inputs_that_do_not_unshuffle_are_refused() -> None:
    with pytest.raises(ValueError, match="inputs of 7x7: for 2 times the size, both sides must be multiples of 2"):
        Generator((3, 14, 14), (3, 7, 7))


@pytest.mark.parametrize(("scale", "channels"), [(1, 3), (2, 3), (4, 3), (4, 1), (8, 3)])
def test_spandrel_makes_the_same_of_its_weights(scale: int, channels: int) -> None:
    spandrel = pytest.importorskip("spandrel")
    torch.manual_seed(0)
    net = Generator(*shapes(scale, channels=channels), width=8, blocks=2).exported.eval()
    other = spandrel.ModelLoader().load_from_state_dict(dict(net.state_dict()))
    assert (other.architecture.name, other.scale) == ("ESRGAN", scale)
    images = torch.rand(1, channels, 8, 12)
    with torch.no_grad():
        assert torch.equal(other(images), net(images).clamp(0, 1))
