"""Activations that make no alias (Karras et al. 2021, arXiv:2106.12423, section 3.2 and appendices B, C).

A leaky ReLU of a band-limited signal has frequencies beyond what its grid can hold, which fold back: so maps are
enlarged by a low-pass filter, activated there, and made smaller by another. Filters are windowed by Kaiser: sinc along
both sides, or jinc over the plane, which is the same in all directions. Those along a side are two depthwise
convolutions: in channels_last on one CPU core, 8x64x38x38 to 83x83 forward and backward, 16 ms against 32 by matrices.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, pad

from gan_lab.layers.reduced_precision import precision_of


def lowpass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """A windowed sinc, (taps,), that sums to 1: half the amplitude passes at `cutoff`, the band between what passes and
    what does not is `width` wide, all in cycles, as samples are `rate` (appendix B)."""
    kernel: Tensor = torch.sinc(2 * cutoff * places(taps, rate)) * kaiser(taps, width, rate)
    return (kernel / kernel.sum()).float()


def radial_lowpass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """A windowed jinc, (taps, taps), that sums to 1 (appendix C); `taps` is even."""
    line, window = places(taps, rate), kaiser(taps, width, rate)
    radius = torch.hypot(line[:, None], line)
    kernel: Tensor = torch.special.bessel_j1(2 * math.pi * cutoff * radius) / radius * torch.outer(window, window)
    return (kernel / kernel.sum()).float()


def places(taps: int, rate: float) -> Tensor:
    return (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate


def kaiser(taps: int, width: float, rate: float) -> Tensor:
    """Kaiser's window for a transition so wide, by his formulas: what attenuation taps have, and what beta has it."""
    attenuation = 2.285 * (taps - 1) * math.pi * 2 * width / rate + 7.95
    beta = 0.0
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation > 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)


class AliasFreeActivation(nn.Module):
    """(N, C, H, H), H = `before`, to (N, C, `after`, `after`): `up` times as many samples by the filter `rise`, leaky
    ReLU, and every `down`-th of what passes the filter `fall`, (taps,) or (taps, taps). Zeros lie beyond the border;
    the middle stays the middle. In fp32 whatever the precision of the maps: what bf16 rounds off is louder than what
    the filters leave of an alias, and on a CPU a round with filters in bf16 took three times as long."""

    rise: Tensor
    fall: Tensor

    def __init__(
        self, before: int, after: int, up: int, rise: Tensor, down: int, fall: Tensor, leak: float, gain: float
    ) -> None:
        super().__init__()
        self.up, self.down, self.leak = up, down, leak
        self.register_buffer("rise", rise * up, persistent=False)
        self.register_buffer("fall", fall * gain if fall.dim() == 2 else fall * math.sqrt(gain), persistent=False)
        inside = (after - 1) * down + len(fall)  # samples at the high rate
        beyond = inside + len(rise) - 1 - before * up
        cut = len(rise) - 1 - (beyond + up) // 2
        self.margin = (-cut, inside - ((before - 1) * up + len(rise) - cut))

    def forward(self, maps: Tensor) -> Tensor:
        with precision_of(maps.device, reduced=False):
            return self.filtered(maps.float()).to(maps.dtype)

    def filtered(self, maps: Tensor) -> Tensor:
        channels = maps.shape[1]
        rise = self.rise.expand(channels, 1, 1, -1)
        maps = conv_transpose2d(maps, rise, stride=(1, self.up), groups=channels)
        maps = conv_transpose2d(maps, rise.transpose(2, 3), stride=(self.up, 1), groups=channels)
        maps = leaky_relu(pad(maps, (*self.margin, *self.margin)), self.leak)
        if self.fall.dim() == 2:
            return conv2d(maps, self.fall.expand(channels, 1, -1, -1), stride=self.down, groups=channels)
        fall = self.fall.expand(channels, 1, 1, -1)
        maps = conv2d(maps, fall, stride=(1, self.down), groups=channels)
        return conv2d(maps, fall.transpose(2, 3), stride=(self.down, 1), groups=channels)
