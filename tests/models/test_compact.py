"""Compact: sizes, what it sees, where it starts, and that another program makes the same of its weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate
from torch.testing import assert_close

from gan_lab.models.compact import Generator
from tests.models.super_resolution import receptive_field, shapes, size, zero


def test_sizes() -> None:
    assert size(lambda: Generator(*shapes(4))) == 621_424
    assert size(lambda: Generator(*shapes(4), blocks=32)) == 1_213_296


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_without_its_last_layer_it_is_nearest_neighbours(scale: int) -> None:
    generator = Generator(*shapes(scale, side=6), width=4, blocks=1)
    images = torch.rand(2, 3, 6, 7) * 2 - 1
    zero(generator.inner.body[-1])
    assert_close(generator(images), interpolate(images, scale_factor=float(scale)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("blocks", "rows"), [(1, 7), (4, 13)])
def test_receptive_field(blocks: int, rows: int) -> None:
    """2 (n + 2) + 1 for n + 2 convolutions of 3x3."""
    net = Generator(*shapes(1), width=2, blocks=blocks).inner
    assert receptive_field(net, side=21) == 2 * (blocks + 2) + 1 == rows


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_spandrel_makes_the_same_of_its_weights(scale: int) -> None:
    spandrel = pytest.importorskip("spandrel")
    torch.manual_seed(0)
    net = Generator(*shapes(scale), width=8, blocks=3).exported.eval()
    other = spandrel.ModelLoader().load_from_state_dict(dict(net.state_dict()))
    assert (other.architecture.name, other.scale) == ("RealESRGAN Compact", scale)
    images = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        assert torch.equal(other(images), net(images).clamp(0, 1))
