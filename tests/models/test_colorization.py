"""Colorization: the lightness of what goes in is that of what comes out."""

from __future__ import annotations

import pytest
import torch

from gan_lab.errors import ConfigError
from gan_lab.layers.lab import lightness, to_lab
from gan_lab.models import unet
from gan_lab.models.colorization import Generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    made = Generator([3, 16, 16], [1, 16, 16], width=8)
    torch.nn.init.normal_(made.network.up[-1][1].weight, 0, 0.5)  # strong colours, beyond what a screen shows
    return made.eval()


@torch.no_grad()
def test_lightness_is_kept_and_colours_are_made(generator: Generator) -> None:
    torch.manual_seed(1)
    gray = torch.rand(4, 1, 16, 16) * 2 - 1
    made = generator(gray)
    assert made.shape == (4, 3, 16, 16)
    assert made.abs().max() <= 1
    lab = to_lab(made)
    assert (lab[:, :1] - lightness(gray)).abs().max() < 0.01
    assert lab[:, 1:].abs().amax() > 20
    files = ((made + 1) * 127.5).round() / 127.5 - 1
    assert (to_lab(files)[:, :1] - lightness(gray)).abs().max() < 1  # after rounding to levels


@torch.no_grad()
def test_the_network_sees_lightness_and_makes_a_and_b(generator: Generator) -> None:
    seen = []
    handle = generator.network.register_forward_hook(lambda module, given, made: seen.append((given[0], made)))
    gray = torch.linspace(-1, 1, 256).view(1, 1, 16, 16)
    made = generator(gray)
    handle.remove()
    ((light, colour),) = seen
    assert float(light.amin()) == pytest.approx(-1, abs=1e-5)
    assert float(light.amax()) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(light, lightness(gray) / 50 - 1)
    assert colour.shape == (1, 2, 16, 16)
    shown = (to_lab(made)[:, 1:] - 110 * colour).abs().amax(1) < 0.5
    assert shown.any()  # where a screen shows it, it is what was made


def test_counts_and_refusals(generator: Generator) -> None:
    inner = unet.Generator([2, 16, 16], [1, 16, 16], width=8)
    assert sum(p.numel() for p in generator.parameters()) == sum(p.numel() for p in inner.parameters())
    assert generator.multiple == inner.multiple
    with pytest.raises(ConfigError, match="the images are gray"):
        Generator([1, 16, 16], [1, 16, 16])
    with pytest.raises(ConfigError, match="the inputs have 4 channels; .* degradation=lightness"):
        Generator([3, 16, 16], [4, 16, 16])
