"""FastGAN's generator: the published size, and which map excites which."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized
from torch.testing import assert_close

from gan_lab.layers.noise import Noise
from gan_lab.models.fastgan import Generator, block, channels_of

SMALL_IMAGE = 64 * 3  # the authors' 1x1 convolution that makes a second image of the map of 128 pixels


@pytest.mark.parametrize(
    ("size", "published"), [(256, 29_127_846), pytest.param(1024, 29_176_512, marks=pytest.mark.whole)]
)
def test_the_size_is_the_authors(size: int, published: int) -> None:
    with torch.device("meta"):
        generator = Generator((3, size, size), 256)
    assert sum(parameter.numel() for parameter in generator.parameters()) == published - SMALL_IMAGE


def test_channels_by_resolution() -> None:
    assert channels_of(64, 8) == [1024, 512, 256, 128, 128, 64, 32, 16, 8]
    assert channels_of(1, 8)[-3:] == [1, 1, 1]
    with pytest.raises(ValueError, match="of 9 doublings is larger than the largest known, of 8"):
        channels_of(64, 9)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        channels_of(0, 2)


@pytest.mark.parametrize(
    ("size", "excited"),
    [
        ((1, 16, 16), {2: 0}),
        ((3, 28, 28), {2: 0}),
        ((3, 32, 48), {3: 0}),
        ((3, 64, 64), {4: 0}),
        ((3, 128, 128), {4: 0, 5: 1}),
    ],
)
def test_who_excites_whom(size: tuple[int, int, int], excited: dict[int, int]) -> None:
    """A 16th of the sides apart; of small images the smallest map the largest."""
    generator = Generator(size, 6, width=2)
    assert {int(step): int(step) - generator.reach for step in generator.excitations} == excited
    assert generator(torch.randn(2, 6)).shape == (2, *size)


@torch.no_grad()
def test_an_image_step_by_step() -> None:
    torch.manual_seed(0)
    generator = Generator((3, 16, 16), 6, width=4).eval()
    latent = torch.randn(2, 6)
    first = generator.first(latent.view(2, 6, 1, 1))
    assert first.shape == (2, 64, 4, 4)
    last = generator.excitations["2"](first, generator.blocks[1](generator.blocks[0](first)))
    assert_close(generator(latent), generator.to_image(last))
    assert generator(latent).abs().max() <= 1


def test_blocks_with_and_without_noise() -> None:
    kinds = [type(layer) for layer in block(8, 4, 8, 8, noisy=True)]
    assert kinds == [nn.Upsample, *(nn.Conv2d, Noise, nn.BatchNorm2d, nn.GLU) * 2]
    assert Noise not in [type(layer) for layer in block(8, 4, 8, 8, noisy=False)]
    generator = Generator((3, 64, 64), 6, width=2)
    assert [any(isinstance(layer, Noise) for layer in each) for each in generator.blocks] == [True, False, True, False]  # type: ignore[arg-type]


def test_every_convolution_has_spectral_norm_and_no_bias() -> None:
    generator = Generator((3, 16, 16), 6, width=2)
    layers = [layer for layer in generator.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    assert len(layers) == 7
    assert all(is_parametrized(layer, "weight") and layer.bias is None for layer in layers)


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 6, width=4)
    generator(torch.randn(5, 6)).square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.count_nonzero() > 0, name
