"""The generator of figure 2a at the paper's 112 pixels, and its recipe."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.layers.projection import Projection
from gan_lab.models.lsgan import Generator
from tests.compose import composed


def strided(generator: Generator) -> list[tuple[int, int, int]]:
    layers = [m for m in generator.layers if isinstance(m, nn.ConvTranspose2d)]
    assert {m.kernel_size for m in layers} == {(5, 5)}
    return [(m.in_channels, m.out_channels, m.stride[0]) for m in layers]


def test_the_papers_layers_at_112_pixels() -> None:
    generator = Generator((3, 112, 112), 1024)
    first = generator.layers[0]
    assert isinstance(first, Projection)
    assert (first.in_features, first.map_shape) == (1024, (7, 7, 256))
    assert strided(generator) == [
        (256, 256, 2),
        (256, 256, 1),
        (256, 256, 2),
        (256, 256, 1),
        (256, 128, 2),
        (128, 64, 2),
        (64, 3, 1),
    ]
    assert len([m for m in generator.layers if isinstance(m, nn.BatchNorm2d)]) == 7
    assert isinstance(generator.layers[-1], nn.Tanh)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((1, 8, 8), [256, 256, 1]),
        ((1, 16, 16), [256, 256, 256, 256, 1]),
        ((3, 32, 32), [256, 256, 256, 256, 128, 3]),
        ((3, 128, 128), [256, 256, 256, 256, 128, 64, 64, 3]),
    ],
)
def test_other_sizes(shape: tuple[int, int, int], channels: list[int]) -> None:
    with torch.device("meta"):
        assert [after for _, after, _ in strided(Generator(shape, 10))] == channels


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 28, 28), (3, 96, 80)], ids=str)
def test_shapes_ranges_and_gradients(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    generator = Generator(shape, 10, width=8)
    images = generator(10 * torch.randn(3, 10))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    images.square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.count_nonzero() > 0, name


def test_the_recipe() -> None:
    config = composed("model=lsgan")
    assert config["loss"]["adversarial"]["_target_"].endswith(".LeastSquares")
    assert config["algorithm"]["latent"]["dim"] == 1024
    assert config["optimizer"]["generator"]["betas"] == [0.5, 0.999]
    assert config["model"]["discriminator"]["_target_"] == "gan_lab.models.dcgan.Discriminator"
