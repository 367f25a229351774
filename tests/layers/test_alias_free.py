"""Filters are those of the paper, and what they do keeps the middle and makes no alias."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import signal, special  # type: ignore[import-untyped]
from torch.testing import assert_close

from gan_lab.layers.alias_free import AliasFreeActivation, lowpass, radial_lowpass


@pytest.mark.parametrize(
    ("taps", "cutoff", "width", "rate"),
    [(12, 2.0, 12.0, 32.0), (24, 5.0, 6.0, 64.0), (12, 4.0, 2.0, 64.0), (6, 9, 1, 64)],
)
def test_filters_are_scipys(taps: int, cutoff: float, width: float, rate: float) -> None:
    """Whose firwin has the three cases of Kaiser's beta, too."""
    expected = signal.firwin(taps, cutoff, width=width, fs=rate)
    assert_close(lowpass(taps, cutoff, width, rate).double(), torch.from_numpy(expected), atol=1e-7, rtol=1e-6)


def test_the_radial_filter_is_the_same_in_all_directions() -> None:
    """But for its window, which is divided out here: J1(2 pi f r) / r, which falls from the middle on."""
    kernel = radial_lowpass(12, 4.0, 6.0, 64.0)
    assert_close(kernel.sum(), torch.tensor(1.0))
    beta = signal.kaiser_beta(signal.kaiser_atten(12, 6.0 / 32))
    window = torch.from_numpy(signal.windows.kaiser(12, beta))
    jinc = kernel.double() / torch.outer(window, window)
    line = (torch.arange(12, dtype=torch.float64) - 5.5) / 64
    radius = torch.hypot(line[:, None], line)
    expected = torch.from_numpy(special.j1((2 * math.pi * 4 * radius).numpy())) / radius
    assert_close(jinc / jinc[5, 5], expected / expected[5, 5], atol=1e-5, rtol=1e-4)


def slowly(maps: torch.Tensor, layer: AliasFreeActivation, after: int) -> torch.Tensor:
    """The same by its definition: zeros between samples and around them, sums of shifted maps."""
    rise, fall, up, down = layer.rise, layer.fall, layer.up, layer.down
    before = maps.shape[-1]
    total = (after - 1) * down + 1 - before * up + len(rise) + len(fall) - 2
    low = (total + up) // 2
    spread = maps.new_zeros(*maps.shape[:2], before * up, before * up)
    spread[..., ::up, ::up] = maps
    spread = torch.nn.functional.pad(spread, (low, total - low, low, total - low))
    inside = spread.shape[-1] - len(rise) + 1
    plane = torch.outer(rise, rise)
    high = sum(
        plane[i, j] * spread[..., i : i + inside, j : j + inside] for i in range(len(rise)) for j in range(len(rise))
    )
    assert isinstance(high, torch.Tensor)
    high = torch.where(high > 0, high, layer.leak * high)
    last = (after - 1) * down + 1
    plane = fall if fall.dim() == 2 else torch.outer(fall, fall)
    low_rate = sum(
        plane[i, j] * high[..., i : i + last : down, j : j + last : down]
        for i in range(len(fall))
        for j in range(len(fall))
    )
    assert isinstance(low_rate, torch.Tensor)
    return low_rate


@pytest.mark.parametrize(
    ("before", "after", "up", "down", "radial"),
    [(14, 12, 2, 2, False), (12, 20, 4, 2, False), (14, 8, 2, 2, False), (12, 12, 2, 2, True), (8, 20, 2, 1, False)],
)
def test_it_is_its_definition(before: int, after: int, up: int, down: int, radial: bool) -> None:
    torch.manual_seed(0)
    rise, fall = (torch.rand(6 * steps) for steps in (up, down))
    rise, fall = rise + rise.flip(0), fall + fall.flip(0)
    if radial:
        fall = torch.outer(fall, fall) + torch.rand(())
    layer = AliasFreeActivation(before, after, up, rise / 6, down, fall / 6, leak=0.2, gain=1.5)
    maps = torch.randn(2, 3, before, before)
    assert_close(layer(maps), slowly(maps, layer, after))


def test_a_constant_stays_what_it_is_in_the_middle() -> None:
    """Times the gain, and the leak where it is below 0."""
    rise, fall = lowpass(12, 4.0, 8.0, 32.0), lowpass(12, 4.0, 8.0, 32.0)
    layer = AliasFreeActivation(20, 20, 2, rise, 2, fall, leak=0.2, gain=math.sqrt(2))
    for value, expected in ((1.0, math.sqrt(2)), (-1.0, -0.2 * math.sqrt(2))):
        middle = layer(torch.full((1, 1, 20, 20), value))[..., 8:12, 8:12]
        assert_close(middle, torch.full((1, 1, 4, 4), expected), atol=1e-2, rtol=0)


def test_no_alias_comes_of_the_activation() -> None:
    """A wave at 3/8 of the rate, activated on its own grid, has its second harmonic at 2/8; here it has hardly any."""
    samples = torch.cos(2 * math.pi * 3 / 8 * torch.arange(64)).expand(1, 1, 64, 64)
    rise, fall = lowpass(12, 0.4, 0.2, 2.0), lowpass(12, 0.4, 0.2, 2.0)
    layer = AliasFreeActivation(64, 64, 2, rise, 2, fall, leak=0.2, gain=1.0)

    def share(maps: torch.Tensor) -> float:
        line = maps[0, 0, 32, 16:48]
        spectrum = torch.fft.rfft(line * torch.hann_window(32)).abs()
        return float(spectrum[8] / spectrum[12])

    assert share(torch.nn.functional.leaky_relu(samples, 0.2)) > 4 * share(layer(samples))
