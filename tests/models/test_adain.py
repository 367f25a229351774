"""AdaIN: statistics in closed form, the paper's sizes, and an encoder that nothing moves."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.losses.style import moments
from gan_lab.models.adain import DEEPEST, EPS, Generator, align

RANDOM = torch.Generator().manual_seed(0)
CONTENT, STYLE = torch.randn(2, 3, 6, 5, generator=RANDOM) * 3 + 1, torch.randn(2, 3, 4, 4, generator=RANDOM) - 2
IMAGES = torch.rand(2, 3, 32, 24, generator=RANDOM) * 2 - 1


def test_content_in_its_own_style_is_itself() -> None:
    assert_close(align(CONTENT, *moments(CONTENT, EPS)), CONTENT)


def test_it_has_the_moments_of_the_style() -> None:
    made = align(CONTENT, *moments(STYLE, EPS))
    for found, wanted in zip(moments(made), moments(STYLE), strict=True):
        assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    assert made.shape == CONTENT.shape
    x, y = CONTENT[0, 0].flatten(), made[0, 0].flatten()
    assert_close((x - x.mean()) / x.std(), (y - y.mean()) / y.std(), rtol=1e-4, atol=1e-4)  # in the content's order


def test_the_papers_decoder() -> None:
    network = Generator([3, 256, 256], "random")
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_505_219
    kinds = [type(layer).__name__ for layer in network.decoder]
    assert kinds.count("Conv2d") == 9
    assert kinds.count("Upsample") == 3
    assert kinds[-1] == "Conv2d"  # neither ReLU nor tanh behind it
    widths = [layer.out_channels for layer in network.decoder if isinstance(layer, nn.Conv2d)]
    assert widths == [256, 256, 256, 256, 128, 128, 64, 64, 3]
    assert {layer.padding_mode for layer in network.modules() if isinstance(layer, nn.Conv2d)} == {"reflect"}


def test_the_encoder_is_in_no_checkpoint() -> None:
    network = Generator([3, 32, 32], "random", 4)
    assert all(name.startswith("decoder.") for name in network.state_dict())
    other = Generator([3, 32, 32], "random", 4)
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(IMAGES), network(IMAGES))


def test_alpha_mixes_the_features() -> None:
    network = Generator([3, 32, 32], "random", 4)
    network.decoder = nn.Sequential(nn.Upsample(scale_factor=8))  # which hides nothing
    code = network.style(IMAGES.flip(0))
    maps = network.encoder(IMAGES)[DEEPEST]
    assert code.shape == (2, 2 * maps.shape[1])
    assert_close(network(IMAGES, code, 0.0), network(IMAGES))
    assert_close(network(IMAGES, network.style(IMAGES)), network(IMAGES), rtol=1e-4, atol=1e-4)
    full = align(maps, *(each.view(2, -1, 1, 1) for each in code.chunk(2, 1)))
    assert_close(network(IMAGES, code), network.decoder(full))
    assert_close(network(IMAGES, code, 0.25), network.decoder(0.25 * full + 0.75 * maps))
    assert (full - maps).abs().max() > 0.1


@pytest.mark.parametrize("sides", [(32, 24), (33, 31), (17, 39)])
def test_images_keep_their_size(sides: tuple[int, int]) -> None:
    network = Generator([1, 16, 16], "random", 2)
    made = network(torch.zeros(2, 1, *sides))
    assert made.shape == (2, 1, *sides)
    with pytest.raises(ConfigError, match="at least 16x16"):
        network(torch.zeros(1, 1, 8, 32))
