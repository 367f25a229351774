"""How far a network sees: what arithmetic says, for any network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.models import translator, unet
from gan_lab.models.compact import Generator as Compact
from gan_lab.models.rrdb import Generator as RRDB
from gan_lab.sampling.reach import reach_of
from tests.sampling.stand_ins import Converter


def convolution(kernel: int, padding: int | None = None, **settings: int) -> nn.Module:
    return nn.Conv2d(3, 3, kernel, padding=kernel // 2 if padding is None else padding, **settings)


class Attention(nn.Module):
    """Every pixel looks at every other, with a weight of zero, as those of SAGAN begin: it is not there yet."""

    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(2)
        return images + 0 * (flat @ (flat.transpose(1, 2) @ flat).softmax(-1)).view_as(images)


class Statistics(nn.BatchNorm2d):
    """Of the batch, always, and it remembers them."""

    def forward(self, images: Tensor) -> Tensor:
        return super().train().forward(images)


@pytest.mark.parametrize(
    ("network", "reach"),
    [
        (nn.Identity(), 0),
        (convolution(3), 1),
        (nn.Sequential(convolution(3), nn.ReLU(), convolution(5), nn.LeakyReLU(0.2)), 3),
        (convolution(3, 40, dilation=40), 40),
        (nn.Sequential(nn.ReflectionPad2d(3), convolution(7, 0)), 3),
        (nn.Sequential(*(convolution(3) for _ in range(200))), 200),
        (nn.Sequential(convolution(3), nn.BatchNorm2d(3).eval(), nn.Upsample(scale_factor=4), convolution(3)), 2),
        (nn.Conv2d(3, 3, (9, 1), padding=(4, 0)), 4),
        (nn.Conv2d(3, 3, (1, 9), padding=(0, 4)), 4),
        (nn.Sequential(convolution(3), nn.InstanceNorm2d(3)), None),
        (nn.Sequential(convolution(3), nn.GroupNorm(1, 3)), None),
        (Statistics(3), None),
        (Attention(), None),
        (nn.Linear(10, 10), None),
    ],
)
def test_it_is_what_the_layers_come_to(network: nn.Module, reach: int | None) -> None:
    assert reach_of(Converter(network.requires_grad_(False)), 3) == reach


def test_published_networks() -> None:
    """Half of 38 (one block of RRDB), half of 2 (n + 2) + 1 (Compact of n convolutions between its first and last)."""
    assert reach_of(Converter(RRDB((3, 64, 64), (3, 16, 16), width=8, blocks=1, growth=4).eval()), 3) == 19
    four = Compact((3, 64, 64), (3, 16, 16), width=8, blocks=4).eval()
    assert reach_of(Converter(four), 3) == (2 * (4 + 2) + 1) // 2


@pytest.mark.parametrize("module", [translator, unet])
def test_statistics_of_the_image_are_seen(module: Any) -> None:
    """Of pix2pix and CycleGAN, at test as in training."""
    network = module.Generator((3, 32, 32), (3, 32, 32), width=4).eval()
    assert reach_of(Converter(network), 3, network.multiple) is None


def test_with_strides_blocks_see_blocks() -> None:
    """3x3 of what lies 4x4 pixels a block: one block to every side."""
    network = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, 48, 3, padding=1), nn.PixelShuffle(4))
    assert reach_of(Converter(network), 3, multiple=4) == 4


def test_nothing_is_left_of_it() -> None:
    network = Statistics(3)
    reach_of(Converter(network), 3)
    assert torch.equal(network.running_mean, torch.zeros(3))
    assert torch.equal(network.running_var, torch.ones(3))
    assert not network.num_batches_tracked
