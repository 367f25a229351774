"""The perceptrons of the presets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.models.mlp import Discriminator, Generator


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]  # type: ignore[union-attr]


def units(network: nn.Module) -> list[tuple[int, int]]:
    return [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]


def test_defaults() -> None:
    generator, discriminator = Generator((1, 28, 28), 100), Discriminator((1, 28, 28))
    assert units(generator) == [(100, 128), (128, 256), (256, 512), (512, 784)]
    assert kinds(generator) == [*["Linear", "BatchNorm1d", "ReLU"] * 3, "Linear", "Tanh"]
    assert units(discriminator) == [(784, 512), (512, 256), (256, 1)]
    assert kinds(discriminator) == ["Linear", "LeakyReLU", "Dropout"] * 2


def test_plain_networks() -> None:
    generator = Generator((1, 28, 28), 100, width=128, depth=1, batch_norm=False)
    discriminator = Discriminator((1, 28, 28), width=128, depth=1, dropout=0.0)
    assert units(generator) == [(100, 128), (128, 784)]
    assert kinds(generator) == ["Linear", "ReLU", "Linear", "Tanh"]
    assert units(discriminator) == [(784, 128), (128, 1)]
    assert kinds(discriminator) == ["Linear", "LeakyReLU"]


def test_leak_of_the_discriminator() -> None:
    leaks = [m.negative_slope for m in Discriminator((1, 16, 16)).modules() if isinstance(m, nn.LeakyReLU)]
    assert leaks == [0.2, 0.2]


def test_any_image_size_will_do() -> None:
    assert Generator((3, 89, 109), 5, width=2)(torch.randn(2, 5)).shape == (2, 3, 89, 109)
    assert Discriminator((3, 89, 109), width=2)(torch.randn(2, 3, 89, 109)).scores.shape == (2,)


def test_dropout_only_while_training() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator((1, 8, 8), width=16)
    images = torch.randn(4, 1, 8, 8)
    assert not torch.equal(discriminator(images).scores, discriminator(images).scores)
    discriminator.eval()
    assert torch.equal(discriminator(images).scores, discriminator(images).scores)


@pytest.mark.parametrize("setting", [{"width": 0}, {"depth": 0}])
def test_sizes_are_checked(setting: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="width and depth must be at least 1"):
        Generator((1, 8, 8), 5, **setting)
    with pytest.raises(ValueError, match="width and depth must be at least 1"):
        Discriminator((1, 8, 8), **setting)


def test_dropout_is_checked() -> None:
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), not 1.0"):
        Discriminator((1, 8, 8), dropout=1.0)
