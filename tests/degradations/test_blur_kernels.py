"""The kernels of Real-ESRGAN in closed form, and how often each is drawn."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.degradations.blur_kernels import (
    KINDS,
    LARGEST,
    Shapes,
    blur,
    draw_kernels,
    draw_shapes,
    draw_sincs,
    sinc,
)

CPU = torch.device("cpu")
MIDDLE = LARGEST // 2


def one(size: int, kind: int, wide: float, high: float, angle: float = 0.0, beta: float = 1.0) -> Tensor:
    numbers = (torch.tensor(float(n)).view(1, 1, 1) for n in (wide, high, angle, beta))
    return blur(Shapes(torch.tensor(size).view(1, 1, 1), torch.tensor(kind).view(1, 1, 1), *numbers))[0]


@pytest.mark.parametrize("kind", range(6))
def test_against_the_formulas(kind: int) -> None:
    """By an inverse covariance matrix, place by place."""
    size, angle, beta = 11, 0.7, 1.6
    wide, high = 2.0, (2.0 if kind % 2 == 0 else 0.8)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    inverse = torch.linalg.inv(turn @ torch.diag(torch.tensor([wide**2, high**2])) @ turn.T)
    expected = torch.zeros(LARGEST, LARGEST)
    for y in range(-5, 6):
        for x in range(-5, 6):
            d = torch.tensor([float(x), float(y)])
            q = float(d @ inverse @ d)
            power = q if kind < 2 else q**beta
            expected[y + MIDDLE, x + MIDDLE] = math.exp(-power / 2) if kind < 4 else 1 / (1 + power)
    assert_close(one(size, kind, 2.0, 0.8, angle, beta), expected / expected.sum(), atol=1e-6, rtol=1e-4)


def test_isotropic_kernels_know_no_direction() -> None:
    for kind in (0, 2, 4):
        kernel = one(15, kind, 2.0, 0.5, 0.3, 1.4)
        assert_close(kernel, one(15, kind, 2.0, 2.5, -2.0, 1.4))
        assert_close(kernel, torch.rot90(kernel))
        assert_close(kernel, kernel.mT)
    for kind in (1, 3, 5):
        assert not torch.allclose(one(15, kind, 2.0, 0.5, 0.3, 1.4), one(15, kind, 2.0, 0.5, 1.0, 1.4))
        turned = one(15, kind, 2.0, 0.5, 0.3 + math.pi / 2, 1.4)
        assert_close(one(15, kind, 2.0, 0.5, 0.3, 1.4), torch.rot90(turned), atol=1e-6, rtol=1e-4)


def test_drawn_kernels_sum_to_1_and_are_no_larger_than_they_say() -> None:
    torch.manual_seed(0)
    shapes = draw_shapes(500, (0.2, 3.0), CPU)
    kernels = blur(shapes)
    assert (kernels >= 0).all()
    assert_close(kernels.sum((1, 2)), torch.ones(500))
    reach = torch.arange(-MIDDLE, MIDDLE + 1).abs()
    assert not kernels[(torch.maximum(reach[:, None], reach) > (shapes.size - 1) / 2)].any()
    assert sorted(set(shapes.size.flatten().tolist())) == [7, 9, 11, 13, 15, 17, 19, 21]
    assert 0.2 <= shapes.sigma_x.min() < 0.25 < 2.95 < shapes.sigma_y.max() <= 3
    every = draw_kernels(500, (0.2, 1.5), CPU)
    assert_close(every.sum((1, 2)), torch.ones(500))
    assert 0.05 < (every < -1e-6).any(2).any(1).float().mean() < 0.15  # a tenth are sincs


def test_kinds_and_betas_are_drawn_as_often_as_is_said() -> None:
    """Chi-square of 5 degrees of freedom: beyond 20.5 once in a thousand. Half of the betas lie below 1."""
    torch.manual_seed(1)
    n = 20_000
    shapes = draw_shapes(n, (0.2, 3.0), CPU)
    counts = torch.bincount(shapes.kind.flatten(), minlength=6)
    expected = n * torch.tensor(KINDS)
    assert ((counts - expected).square() / expected).sum() < 20.5
    beta, kind = shapes.beta.flatten(), shapes.kind.flatten()
    general, plateau = beta[(kind == 2) | (kind == 3)], beta[kind >= 4]
    assert 0.5 <= general.min() < 0.55 < 3.9 < general.max() <= 4
    assert (general < 1).float().mean() == pytest.approx(0.5, abs=0.03)
    assert (plateau == 1).float().mean() == pytest.approx(0.5, abs=0.03)
    assert 1 <= plateau.min() < 1.9 < plateau.max() <= 2


def test_sinc_lets_low_frequencies_through() -> None:
    """Its formula before it is cut, by the integral of J1; the gain is 1 at 0, and little beyond the cutoff."""
    size, cutoff = torch.tensor(21).view(1, 1, 1), torch.tensor(math.pi / 3).view(1, 1, 1)
    kernel = sinc(size, cutoff)[0]
    t = (torch.arange(512).double() + 0.5) * math.pi / 512

    def value(r: float) -> float:
        w = math.pi / 3
        bessel = float(torch.cos(t - w * r * torch.sin(t)).mean())
        return w * bessel / (2 * math.pi * r) if r else w * w / (4 * math.pi)

    for y, x in ((0, 0), (0, 3), (2, 5), (10, 10)):
        ratio = value(math.hypot(y, x)) / value(0)
        assert float(kernel[MIDDLE + y, MIDDLE + x] / kernel[MIDDLE, MIDDLE]) == pytest.approx(ratio, abs=1e-5)
    gain = torch.fft.fft2(kernel).abs()
    assert float(gain[0, 0]) == pytest.approx(1, abs=1e-5)
    assert gain[9:12, 0].max() < 0.05
    torch.manual_seed(0)
    final = draw_sincs(1000, 0.8, CPU)
    assert (final[:, MIDDLE, MIDDLE] == 1).float().mean() == pytest.approx(0.2, abs=0.04)
    assert_close(final.sum((1, 2)), torch.ones(1000))
