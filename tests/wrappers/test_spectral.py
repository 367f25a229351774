"""Every weight inside has spectral norm 1."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.dcgan import Discriminator
from gan_lab.wrappers.spectral import SpectralNorm

SHAPE = [1, 16, 16]


def test_singular_values() -> None:
    torch.manual_seed(0)
    wrapper = SpectralNorm(lambda: Discriminator(SHAPE, width=4, normalization="none"))
    layers = [layer for layer in wrapper.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 3
    for _ in range(50):
        wrapper(torch.randn(2, *SHAPE))
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert_close(largest, torch.tensor(1.0), rtol=0.02, atol=0)


def test_a_normalised_discriminator_stays_as_it_is() -> None:
    inside = spectral_norm(Discriminator(SHAPE, width=4, normalization="none"))
    names = list(inside.state_dict())
    assert list(SpectralNorm(lambda: inside).inside.state_dict()) == names


def test_nothing_to_normalise_is_refused() -> None:
    with pytest.raises(ValueError, match="has no convolution, linear layer or embedding"):
        SpectralNorm(lambda: nn.Sequential(nn.Flatten()))
