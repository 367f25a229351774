"""The guidelines of the paper, looked up in the networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.projection import Projection, Readout
from gan_lab.models.dcgan import Discriminator, Generator


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]  # type: ignore[union-attr]


def test_the_published_sizes_at_64_pixels() -> None:
    """Layer by layer 100-512-256-128-64-3 and back: the 3,576,704 and 2,765,568 parameters of the standard networks."""
    pairs = [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    by_hand = sum(16 * a * b for a, b in pairs) + 2 * (512 + 256 + 128 + 64)
    assert parameters(Generator((3, 64, 64), 100, width=64)) == by_hand == 3_576_704
    pairs = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    by_hand = sum(16 * a * b for a, b in pairs) + 2 * (128 + 256 + 512)
    assert parameters(Discriminator((3, 64, 64), width=64)) == by_hand == 2_765_568


def test_layers_of_the_generator() -> None:
    up = ["ConvTranspose2d", "BatchNorm2d", "ReLU"]
    assert kinds(Generator((1, 32, 32), 8, 4)) == (
        ["Projection", "BatchNorm2d", "ReLU", *up, *up, "ConvTranspose2d", "Tanh"]
    )


def test_layers_of_the_discriminator() -> None:
    down = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(Discriminator((1, 32, 32), 4)) == ["Conv2d", "LeakyReLU", *down, *down]
    assert kinds(Discriminator((1, 32, 32), 4, normalization="none")) == ["Conv2d", "LeakyReLU"] * 3


@pytest.mark.parametrize(
    ("shape", "channels", "first"),
    [
        ((1, 16, 16), [128, 64], (4, 4)),
        ((1, 28, 28), [128, 64], (7, 7)),
        ((3, 32, 32), [256, 128, 64], (4, 4)),
        ((3, 64, 64), [512, 256, 128, 64], (4, 4)),
        ((3, 128, 128), [1024, 512, 256, 128, 64], (4, 4)),
        ((3, 24, 16), [128, 64], (6, 4)),
    ],
)
def test_channels_halve_as_the_map_doubles(
    shape: tuple[int, int, int], channels: list[int], first: tuple[int, int]
) -> None:
    with torch.device("meta"):
        generator, discriminator = Generator(shape, 100, 64), Discriminator(shape, 64)
    ups = [layer for layer in generator.layers if isinstance(layer, nn.ConvTranspose2d)]
    downs = [layer for layer in discriminator.layers if isinstance(layer, nn.Conv2d)]
    assert [layer.in_channels for layer in ups] == channels
    assert ups[-1].out_channels == shape[0]
    assert [layer.out_channels for layer in downs] == channels[::-1]
    assert downs[0].in_channels == shape[0]
    for layer in [*ups, *downs]:
        assert (layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1))
    (start,) = (layer for layer in generator.layers if isinstance(layer, Projection))
    assert start.map_shape == (*first, channels[0])
    assert isinstance(discriminator.to_score, Readout)
    assert discriminator.to_score.in_features == first[0] * first[1] * channels[0]


def test_first_weights() -> None:
    """Weights N(0, 0.02), BatchNorm scales N(1, 0.02), every bias 0; within 5 standard errors."""
    torch.manual_seed(0)
    checked = 0
    networks = Generator((3, 32, 32), 100), Discriminator((3, 32, 32)), Discriminator((3, 32, 32), normalization="none")
    for layer in (layer for network in networks for layer in network.modules()):
        weight = getattr(layer, "weight", None)
        if weight is None:
            continue
        weight, mean = weight.detach(), 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
        error = 0.02 / weight.numel() ** 0.5
        assert_close(weight.mean(), torch.tensor(mean), atol=5 * error, rtol=0)
        assert_close(weight.std(), torch.tensor(0.02), atol=5 * error, rtol=0)
        if layer.bias is not None:  # type: ignore[union-attr]
            assert layer.bias.count_nonzero() == 0  # type: ignore[union-attr, operator]
        checked += 1
    assert checked == (1 + 3 + 3) + (3 + 2 + 1) + (3 + 1)


def test_biases_only_where_nothing_else_shifts() -> None:
    biased = [type(m).__name__ for m in Discriminator((3, 32, 32)).modules() if getattr(m, "bias", None) is not None]
    assert biased == ["BatchNorm2d"] * 2
    critic = Discriminator((3, 32, 32), normalization="none")
    assert [type(m).__name__ for m in critic.modules() if getattr(m, "bias", None) is not None] == [
        *["Conv2d"] * 3,
        "Readout",
    ]


def test_the_generator_speaks_channels_last() -> None:
    images = Generator((3, 32, 32), 8, 4)(torch.randn(2, 8))
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_leak_of_the_discriminator() -> None:
    leaks = [m.negative_slope for m in Discriminator((1, 16, 16)).modules() if isinstance(m, nn.LeakyReLU)]
    assert leaks == [0.2, 0.2]


def test_another_normalization_is_refused() -> None:
    with pytest.raises(ValueError, match='normalization must be "batch" or "none", not "layer"'):
        Discriminator((3, 32, 32), normalization="layer")
