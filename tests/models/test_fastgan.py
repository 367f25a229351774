"""FastGAN's generator: the published size, and what it adds to its trunk."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized
from torch.testing import assert_close

from gan_lab.layers.noise import Noise
from gan_lab.models.fastgan import Generator

SMALL_IMAGE = 64 * 3  # the authors' 1x1 convolution that makes a second image of the map of 128 pixels


@pytest.mark.parametrize(
    ("size", "published"), [(256, 29_127_846), pytest.param(1024, 29_176_512, marks=pytest.mark.whole)]
)
def test_the_size_is_the_authors(size: int, published: int) -> None:
    with torch.device("meta"):
        generator = Generator((3, size, size), 256)
    assert sum(parameter.numel() for parameter in generator.parameters()) == published - SMALL_IMAGE


def test_images_of_every_size_are_in_range() -> None:
    for shape in ((1, 8, 12), (3, 28, 28), (3, 64, 64)):
        images = Generator(shape, 6, width=2)(100 * torch.randn(2, 6))
        assert images.shape == (2, *shape)
        assert images.abs().max() <= 1


@torch.no_grad()
def test_the_largest_map_is_the_image() -> None:
    torch.manual_seed(0)
    generator, latent = Generator((3, 16, 16), 6, width=4).eval(), torch.randn(2, 6)
    assert_close(generator(latent), generator.to_image(generator.largest(latent)))


def test_each_second_doubling_has_noise_from_the_first_on() -> None:
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
