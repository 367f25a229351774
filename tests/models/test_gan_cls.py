"""GAN-CLS: DCGAN's networks, told a caption."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.models.gan_cls import Bottleneck, Discriminator, Generator
from gan_lab.text.bag import BagOfTokens


def encoder() -> BagOfTokens:
    return BagOfTokens(20, 16, 8)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 28, 28), (3, 64, 64)])
def test_sizes(shape: tuple[int, int, int]) -> None:
    tokens = torch.randint(1, 20, (2, 5))
    images = Generator(encoder(), shape, 7, 4)(torch.randn(2, 7), tokens)
    assert images.shape == (2, *shape)
    assert float(images.detach().abs().max()) <= 1
    assert Discriminator(encoder(), shape, 4)(images, tokens).scores.shape == (2,)


def test_bottlenecks_stand_behind_the_first_two_maps_and_the_last_one() -> None:
    generator, discriminator = Generator(encoder(), (3, 64, 64), 7, 4), Discriminator(encoder(), (3, 64, 64), 4)
    channels = [each.convolutions[2].out_channels for each in generator.layers if isinstance(each, Bottleneck)]
    assert channels == [32, 16]
    assert [each.convolutions[2].out_channels for each in discriminator.layers if isinstance(each, Bottleneck)] == [32]


def test_a_bottleneck_that_adds_nothing() -> None:
    block, features = Bottleneck(8, 0.2).eval(), torch.randn(2, 8, 4, 4)
    torch.nn.init.zeros_(block.norms[2].weight)
    assert_close(block(features), features)


def test_both_hear_the_caption() -> None:
    generator, discriminator = (
        Generator(encoder(), (3, 16, 16), 7, 4).eval(),
        Discriminator(encoder(), (3, 16, 16), 4).eval(),
    )
    latent, images = torch.randn(1, 7), torch.randn(1, 3, 16, 16)
    made = [generator(latent, torch.tensor([[token]])) for token in (1, 2)]
    scores = [discriminator(images, torch.tensor([[token]])).scores for token in (1, 2)]
    assert not torch.allclose(*made)
    assert not torch.allclose(*scores)
