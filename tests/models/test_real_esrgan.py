"""Real-ESRGAN's discriminator: its size, a score for every pixel, what is constrained, what is added."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils import parametrize
from torch.testing import assert_close

from gan_lab.models.real_esrgan import Discriminator
from tests.models.super_resolution import size


def test_size() -> None:
    assert size(lambda: Discriminator((3, 64, 64))) == 4_376_897


def test_a_score_for_every_pixel() -> None:
    network = Discriminator((1, 16, 24), width=2)
    assert network(torch.randn(5, 1, 16, 24), None).scores.shape == (5, 1, 16, 24)
    with pytest.raises(ValueError, match="image_shape 3x20x16: both sides must be multiples of 8"):
        Discriminator((3, 20, 16))


def test_spectral_norm_everywhere_but_at_the_ends() -> None:
    network = Discriminator((3, 16, 16), width=2)
    convs = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)}
    constrained = [name for name, layer in convs.items() if parametrize.is_parametrized(layer, "weight")]
    assert sorted(set(convs) - set(constrained)) == ["first", "to_score"]
    assert all(convs[name].bias is None for name in constrained)


def test_maps_of_one_size_are_added() -> None:
    """What comes up from below is enlarged, convolved, and gets the map that was so large on the way down added."""
    torch.manual_seed(0)
    network = Discriminator((3, 16, 16), width=2).eval()
    images = torch.randn(2, 3, 16, 16)
    large = leaky_relu(network.first(images), 0.2)
    middle = leaky_relu(network.down[0](large), 0.2)
    small = leaky_relu(network.down[1](middle), 0.2)
    least = leaky_relu(network.down[2](small), 0.2)
    features = least
    for layer, beside in zip(network.up, (small, middle, large), strict=True):
        enlarged = interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
        features = leaky_relu(layer(enlarged), 0.2) + beside
    for layer in network.end:
        features = leaky_relu(layer(features), 0.2)
    assert_close(network(images).scores, network.to_score(features))
