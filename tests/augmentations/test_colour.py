"""The matrices about the axis of greys against the textbook formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.augmentations.colour import about_grey, colours, diagonal, recolour

V = torch.ones(3, dtype=torch.float64) / math.sqrt(3)
OUTER, EYE = torch.outer(V, V), torch.eye(3, dtype=torch.float64)


def one(*numbers: float) -> list[Tensor]:
    return [torch.tensor([number], dtype=torch.float64) for number in numbers]


def test_hue_is_a_turn_about_the_greys() -> None:
    angle = 0.7
    cross = torch.stack([torch.linalg.cross(V, axis) for axis in EYE], 1)
    turned = torch.linalg.matrix_exp(angle * cross)
    assert_close(about_grey(*one(math.cos(angle), math.sin(angle), 1.0))[0, :3, :3], turned)


def test_luma_flip_is_a_householder_reflection() -> None:
    assert_close(about_grey(*one(1.0, 0.0, -1.0))[0, :3, :3], EYE - 2 * OUTER)


def test_saturation_scales_around_the_greys() -> None:
    assert_close(about_grey(*one(2.5, 0.0, 1.0))[0, :3, :3], OUTER + 2.5 * (EYE - OUTER))


def test_brightness_and_contrast() -> None:
    point = torch.tensor([0.1, 0.2, 0.3, 1.0], dtype=torch.float64)
    assert_close(diagonal(*one(2.0, 0.5))[0] @ point, torch.tensor([0.7, 0.9, 1.1, 1.0], dtype=torch.float64))


def test_p_0_is_exactly_the_identity() -> None:
    drawn = colours(torch.empty(100), torch.tensor(0.0))
    assert torch.equal(drawn, torch.eye(4).expand(100, 4, 4))
    for channels in (1, 3, 4):
        images = torch.randn(100, channels, 4, 4)
        assert torch.equal(recolour(images, drawn), images)


def test_the_papers_distributions() -> None:
    """On greys only contrast c, the luma flip and brightness b act: x -> +-c (x + b); on the plane of colours, s c."""
    torch.manual_seed(0)
    n = 20_000
    drawn = colours(torch.empty(n, dtype=torch.float64), torch.tensor(1.0))
    along = (drawn[:, :3, :3] @ V) @ V  # +-c
    assert_close((along < 0).double().mean().item(), 0.5, atol=5 * 0.5 / math.sqrt(n), rtol=0)
    brightness = drawn[:, :3, 3].mean(1) / along
    contrast = along.abs().log2()
    across = (torch.linalg.det(drawn[:, :3, :3]) / along).sqrt().log2() - contrast  # saturation, in octaves
    for numbers, std in ((brightness, 0.2), (contrast, 0.5), (across, 1.0)):
        assert_close(numbers.std().item(), std, rtol=5 / math.sqrt(2 * n), atol=0)
        assert_close(numbers.mean().item(), 0.0, atol=5 * std / math.sqrt(n), rtol=0)
    red = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64) / math.sqrt(2)
    side = torch.linalg.cross(V, red)
    turned = drawn[:, :3, :3] @ red
    angle = torch.atan2(turned @ side, turned @ red)
    assert_close(angle.square().mean().item(), math.pi**2 / 3, rtol=0.03, atol=0)


def test_recolour_maps_pixels() -> None:
    torch.manual_seed(0)
    drawn = colours(torch.empty(5, dtype=torch.float64), torch.tensor(1.0))
    images = torch.randn(5, 3, 2, 4, dtype=torch.float64)
    homogeneous = torch.cat([images, torch.ones(5, 1, 2, 4)], 1)
    assert_close(recolour(images, drawn), torch.einsum("nij,njhw->nihw", drawn, homogeneous)[:, :3])


@pytest.mark.parametrize("channels", [1, 2])
def test_greys_are_treated_as_grey_colours(channels: int) -> None:
    torch.manual_seed(0)
    drawn = colours(torch.empty(5, dtype=torch.float64), torch.tensor(1.0))
    images = torch.randn(5, channels, 2, 4, dtype=torch.float64)
    for index in range(channels):
        grey = images[:, index : index + 1]
        as_colour = recolour(grey.expand(-1, 3, -1, -1), drawn).mean(1, keepdim=True)
        assert_close(recolour(images, drawn)[:, index : index + 1], as_colour)
