"""DF-GAN: captions told at every convolution, one score."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, leaky_relu
from torch.testing import assert_close

from gan_lab.models.dfgan import Discriminator, DownBlock, Generator, UpBlock, channels_of
from gan_lab.text.bag import BagOfTokens


def encoder(dim: int = 8) -> BagOfTokens:
    return BagOfTokens(20, dim, 8)


@pytest.mark.parametrize(
    "shape", [(3, 16, 16), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 128, 128), (3, 256, 256), (3, 64, 96)]
)
def test_sizes(shape: tuple[int, int, int]) -> None:
    tokens = torch.randint(1, 20, (2, 5))
    images = Generator(encoder(), shape, 7, 2, 4)(torch.randn(2, 7), tokens)
    assert images.shape == (2, *shape)
    assert float(images.detach().abs().max()) <= 1
    assert Discriminator(encoder(), shape, 2)(images, tokens).scores.shape == (2,)


def test_channels_double_per_halving_up_to_eight_times() -> None:
    assert channels_of(6, 32) == [32, 64, 128, 256, 256, 256, 256]
    generator, discriminator = Generator(encoder(), (3, 64, 64), 7, 4), Discriminator(encoder(), (3, 64, 64), 4)
    assert [block.conv1.out_channels for block in generator.blocks] == [32, 16, 8, 4]
    assert [block.conv1.out_channels for block in discriminator.blocks] == [8, 16, 32, 32]


def test_as_large_as_published() -> None:
    """About 19 M for birds of 256 pixels and text of 256 numbers, in the paper's table; here 11.2 and 6.7 M without the
    text encoders."""
    networks = (Generator(encoder(256), (3, 256, 256), 100), Discriminator(encoder(256), (3, 256, 256)))
    sizes = [sum(p.numel() for n, p in net.named_parameters() if not n.startswith("encoder.")) for net in networks]
    assert sizes == [11_235_971, 6_717_766]
    assert abs(sum(sizes) / 19e6 - 1) < 0.06


def test_nothing_is_normalised() -> None:
    for network in (Generator(encoder(), (3, 32, 32), 7, 4), Discriminator(encoder(), (3, 32, 32), 4)):
        assert not [
            m for m in network.modules() if "Norm" in type(m).__name__ or "Norm" in type(m).__bases__[0].__name__
        ]


def test_a_halving_begins_as_its_shortcut_and_learns_at_once() -> None:
    block, maps = DownBlock(4, 8), torch.randn(2, 4, 6, 6)
    assert_close(block(maps), avg_pool2d(block.shortcut(maps), 2))
    block(maps).square().sum().backward()
    assert block.scale.grad is not None
    assert bool(block.scale.grad.any())
    nn.init.constant_(block.scale, 0.5)
    residual = leaky_relu(block.conv2(leaky_relu(block.conv1(maps), 0.2)), 0.2)
    assert_close(block(maps), avg_pool2d(block.shortcut(maps), 2) + 0.5 * residual)
    assert isinstance(DownBlock(4, 4).shortcut, nn.Identity)


def test_a_doubling_is_a_shortcut_and_two_convolutions_behind_fusions() -> None:
    block, maps, condition = UpBlock(4, 2, 5, 8), torch.randn(2, 4, 3, 3), torch.randn(2, 5)

    def double(x: torch.Tensor) -> torch.Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    first = block.conv1(double(leaky_relu(maps, 0.04)))  # at the start
    expected = block.conv2(leaky_relu(first, 0.04)) + block.shortcut(double(maps))
    assert_close(block(maps, condition), expected)


def test_the_discriminator_is_told_the_caption_at_once_and_the_generator_after_a_step() -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(encoder(), (3, 16, 16), 7, 4), Discriminator(encoder(), (3, 16, 16), 4)
    latent, images = torch.randn(1, 7), torch.randn(1, 3, 16, 16)

    def made() -> list[torch.Tensor]:
        return [generator(latent, torch.tensor([[token]])) for token in (1, 2)]

    scores = [discriminator(images, torch.tensor([[token]])).scores for token in (1, 2)]
    assert not torch.allclose(*scores)
    assert torch.equal(*made())
    optimizer = torch.optim.SGD(generator.parameters(), 0.1)
    (made()[0] * images).sum().backward()
    optimizer.step()
    assert not torch.equal(*made())


@pytest.mark.parametrize(("settings", "told"), [({"width": 0}, "width must be"), ({"hidden": 0}, "hidden must be")])
def test_what_cannot_be(settings: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Generator(encoder(), (3, 16, 16), 7, **settings)
    with pytest.raises(ValueError, match="call it with one for every sample"):
        Generator(encoder(), (3, 16, 16), 7, 4)(torch.randn(1, 7))
