"""The networks of the spectral normalization paper: its tables, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.models import sngan_dcgan
from gan_lab.models.sngan import Discriminator, Generator


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def conv(size: int, channels: int, out: int) -> int:
    return size * size * channels * out + out


def test_the_papers_sizes_at_32_pixels() -> None:
    """arXiv:1802.05957, table 4, by hand: 256 channels, three up blocks; 128 channels, two down, two plain."""
    up = 2 * conv(3, 256, 256) + conv(1, 256, 256) + 2 * 512
    generator = 129 * 4 * 4 * 256 + 3 * up + 512 + conv(3, 256, 3)
    first = conv(3, 3, 128) + conv(3, 128, 128) + conv(1, 3, 128)
    discriminator = first + 3 * 2 * conv(3, 128, 128) + conv(1, 128, 128) + 129
    assert parameters(Generator((3, 32, 32), 128)) == generator == 4_276_739
    assert parameters(Discriminator((3, 32, 32))) == discriminator == 1_053_825


def test_what_classes_add() -> None:
    """arXiv:1802.05637: a scale and a shift per class instead of one in the blocks; an embedding."""
    plain, conditional = Generator((3, 32, 32), 128), Generator((3, 32, 32), 128, num_classes=10)
    assert parameters(conditional) - parameters(plain) == 6 * 9 * 2 * 256
    plain_d, conditional_d = Discriminator((3, 32, 32)), Discriminator((3, 32, 32), num_classes=10)
    assert parameters(conditional_d) - parameters(plain_d) == 10 * 128


def test_the_papers_sizes_at_128_pixels() -> None:
    """arXiv:1802.05957, table 6: 1024-1024-512-256-128-64 and back, one plain block at 4x4; hidden width = narrow."""
    with torch.device("meta"):
        generator, discriminator = Generator((3, 128, 128), 128), Discriminator((3, 128, 128))
    ups = [(block.conv1.in_channels, block.conv1.out_channels) for block in generator.blocks]
    assert ups == [(1024, 1024), (1024, 512), (512, 256), (256, 128), (128, 64)]
    downs = [
        (block.conv1.in_channels, block.conv1.out_channels, block.conv2.out_channels, block.down)
        for block in discriminator.blocks
    ]
    assert downs == [
        (3, 64, 64, True),
        (64, 64, 128, True),
        (128, 128, 256, True),
        (256, 256, 512, True),
        (512, 512, 1024, True),
        (1024, 1024, 1024, False),
    ]
    assert discriminator.blocks[-1].shortcut is None


@pytest.mark.parametrize(("size", "downs", "last"), [(8, 1, 4), (16, 1, 8), (28, 1, 14), (32, 2, 8), (48, 2, 12)])
def test_small_images_take_the_cifar_networks(size: int, downs: int, last: int) -> None:
    discriminator = Discriminator((1, size, size), width=2)
    assert [block.down for block in discriminator.blocks] == [True] * downs + [False] * 2
    assert discriminator.blocks(torch.randn(1, 1, size, size)).shape == (1, 2, last, last)


def test_first_weights() -> None:
    """Glorot uniform: bound sqrt(6 / (fan in + fan out)), times sqrt(2) in the blocks' 3x3 convolutions; biases 0."""
    torch.manual_seed(0)
    generator, discriminator = Generator((3, 32, 32), 128, width=64), Discriminator((3, 32, 32), width=64)
    wide, narrow = math.sqrt(12 / (9 * 128)), math.sqrt(6 / 128)
    expected = [
        (generator.project.weight, math.sqrt(6 / (128 + 1024))),
        (generator.to_image.weight, math.sqrt(6 / (9 * 67))),
        (generator.blocks[0].conv1.weight, wide),
        (generator.blocks[1].shortcut.weight, narrow),
        (discriminator.blocks[0].conv1.parametrizations.weight.original, math.sqrt(12 / (9 * 67))),
        (discriminator.blocks[3].conv2.parametrizations.weight.original, wide),
        (discriminator.blocks[1].shortcut.parametrizations.weight.original, narrow),
    ]
    for weight, bound in expected:
        assert weight.abs().max() <= bound
        assert_close(weight.detach().std(), torch.tensor(bound / math.sqrt(3)), rtol=0.05, atol=0)
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert module.bias is not None
            assert module.bias.count_nonzero() == 0


def test_the_plain_networks_at_32_pixels() -> None:
    """arXiv:1802.05957, table 3, by hand; BatchNorm takes the place of the transposed convolutions' biases."""
    generator = 129 * 4 * 4 * 512 + sum(16 * a * b + 2 * b for a, b in [(512, 256), (256, 128), (128, 64)])
    generator += conv(3, 64, 3)
    layers = [(3, 3, 64), (4, 64, 64), (3, 64, 128), (4, 128, 128), (3, 128, 256), (4, 256, 256), (3, 256, 512)]
    discriminator = sum(conv(*layer) for layer in layers) + 4 * 4 * 512 + 1
    assert parameters(sngan_dcgan.Generator((3, 32, 32), 128)) == generator == 3_811_907
    assert parameters(sngan_dcgan.Discriminator((3, 32, 32))) == discriminator == 2_935_873


def test_layers_of_the_plain_networks() -> None:
    discriminator = sngan_dcgan.Discriminator((3, 32, 32), width=4)
    convolutions = [m for m in discriminator.layers if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size[0] for m in convolutions] == [3, 4, 3, 4, 3, 4, 3]
    assert [m.stride[0] for m in convolutions] == [1, 2, 1, 2, 1, 2, 1]
    assert {m.negative_slope for m in discriminator.layers if isinstance(m, nn.LeakyReLU)} == {0.1}
    kinds = [type(m).__name__ for m in sngan_dcgan.Generator((3, 32, 32), 8, width=4).layers]
    assert kinds == ["Projection", *["ConvTranspose2d", "BatchNorm2d", "ReLU"] * 3, "Conv2d", "Tanh"]
