"""What the drawn matrices are made of, and how often."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.augmentations.bilinear import warp
from gan_lab.augmentations.geometry import blit, geometry

N = 20_000


def draw(function: object, p: float, height: int = 16, width: int = 32, n: int = N) -> Tensor:
    torch.manual_seed(0)
    return function(torch.empty(n, dtype=torch.float64), height, width, torch.tensor(p))  # type: ignore[operator]


@pytest.mark.parametrize("function", [blit, geometry])
def test_p_0_is_exactly_the_identity(function: object) -> None:
    assert torch.equal(draw(function, 0.0), torch.eye(3, dtype=torch.float64).expand(N, 3, 3))


def test_blits_are_the_mirrors_quarter_turns_and_whole_shifts() -> None:
    drawn = draw(blit, 1.0)
    linear = drawn[:, :2, :2]
    kinds, counts = linear.flatten(1).unique(dim=0, return_counts=True)
    assert len(kinds) == 8  # the symmetries of the square, equally often
    assert_close(counts / N, torch.full((8,), 1 / 8), atol=5 * math.sqrt(7 / 64 / N), rtol=0)
    assert set(kinds.abs().flatten().tolist()) == {0.0, 1.0}
    shifts = torch.linalg.solve(linear, drawn[:, :2, 2])  # before mirror and turn
    assert torch.equal(shifts, shifts.round())
    assert shifts.abs().amax(0).tolist() == [4.0, 2.0]  # an eighth of 32 and of 16


def test_blits_happen_with_probability_p() -> None:
    """A mirror drawn with p is one half of the time, a turn 3 of 4 times: (1 - p/2)(1 - 3p/4) have neither."""
    p = 0.4
    linear = draw(blit, p)[:, :2, :2]
    mirrored = torch.linalg.det(linear) < 0
    assert_close(mirrored.double().mean().item(), p / 2, atol=5 * math.sqrt(0.16 / N), rtol=0)
    still = (linear == torch.eye(2).double()).all(-1).all(-1)
    expected = (1 - p / 2) * (1 - 3 * p / 4)
    assert_close(still.double().mean().item(), expected, atol=5 * math.sqrt(0.25 / N), rtol=0)


def test_geometry_has_the_papers_distributions() -> None:
    drawn = draw(geometry, 1.0)
    linear = drawn[:, :2, :2]
    scale = -0.5 * torch.linalg.det(linear).log2()  # octaves; the stretch has determinant 1
    stretch = 0.5 * (torch.linalg.svdvals(linear)[:, 0] / torch.linalg.svdvals(linear)[:, 1]).log2()  # |.| of a normal
    shifts = torch.linalg.solve(linear, drawn[:, :2, 2])
    for numbers, std in ((scale, 0.2), (stretch, 0.2), (shifts[:, 0], 32 / 8), (shifts[:, 1], 16 / 8)):
        assert_close(numbers.square().mean().sqrt().item(), std, rtol=5 / math.sqrt(2 * N), atol=0)
    assert_close(scale.mean().item(), 0.0, atol=5 * 0.2 / math.sqrt(N), rtol=0)


def test_turns_happen_with_probability_p() -> None:
    """One or both of the two turns: 1 - (1 - p) = p. Not turned: the linear part is diagonal."""
    p = 0.3
    linear = draw(geometry, p)[:, :2, :2]
    turned = linear[:, 0, 1] != 0
    assert_close(turned.double().mean().item(), p, atol=5 * math.sqrt(p * (1 - p) / N), rtol=0)


def test_a_quarter_turn_of_a_square_is_rot90() -> None:
    images = torch.randn(64, 1, 8, 8)
    torch.manual_seed(0)
    maps = blit(torch.empty(64), 8, 8, torch.tensor(1.0))
    maps[:, :2, 2] = 0.0
    for image, result in zip(images, warp(images, maps), strict=True):
        turns = [torch.rot90(base, k, (1, 2)) for base in (image, image.flip(2)) for k in range(4)]
        assert sum(torch.equal(result, turn) for turn in turns) == 1
