"""StyleGAN3 by the formulas of its paper (arXiv:2106.12423), over weights by their published names: zeros between
values, one kernel a sample, filters by NumPy, nothing of the package; and a file's worth of such weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, leaky_relu, pad

from tests.importing.files import affine, mapping
from tests.importing.formulas import dense, mapped

LAYERS, CRITICAL, MARGIN, TAPS = 14, 2, 10, 6


class Band(NamedTuple):
    cutoff: float
    half: float
    rate: int
    size: int
    channels: int


def bands(pixels: int, base: int, most: int) -> list[Band]:
    found = []
    for index in range(LAYERS + 1):
        share = min(index / (LAYERS - CRITICAL), 1)
        cutoff = 2 * (pixels / 4) ** share
        stop = 2**2.1 * (2**0.3 * pixels / 2 / 2**2.1) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stop, pixels)))
        size = pixels if index >= LAYERS - 1 else rate + 2 * MARGIN
        channels = 3 if index == LAYERS else round(min(base / 2 / cutoff, most))
        found.append(Band(cutoff, max(stop, rate / 2) - cutoff, rate, size, channels))
    return found


def lowpass(taps: int, band: Band, rate: int, radial: bool) -> Tensor:
    """(taps,), or radial (taps, taps)."""
    attenuation = 2.285 * (taps - 1) * math.pi * (2 * band.half) / (rate / 2) + 7.95
    low = 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)
    window = np.kaiser(taps, 0.1102 * (attenuation - 8.7) if attenuation > 50 else low)
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    if radial:
        radius = torch.from_numpy(np.hypot(at[:, None], at[None]))
        wave = torch.special.bessel_j1(2 * math.pi * band.cutoff * radius) / (math.pi * radius)
        kernel = wave.numpy() * np.outer(window, window)
    else:
        kernel = np.sinc(2 * band.cutoff * at) * window
    return torch.from_numpy(kernel / kernel.sum())


def filters(found: list[Band], index: int, radial: bool) -> tuple[int, int, Tensor, Tensor]:
    before, after = found[max(index - 1, 0)], found[index]
    rate = 2 * max(before.rate, after.rate)
    up, down = rate // before.rate, rate // after.rate
    fall = lowpass(TAPS * down, after, rate, radial and index < LAYERS - CRITICAL)
    return up, down, lowpass(TAPS * up, before, rate, False), fall


def weights(
    pixels: int, base: int, most: int, z: int = 6, w: int = 5, classes: int = 0, radial: bool = False
) -> dict[str, Tensor]:
    """All of them random, as many as its publishers have."""
    found = bands(pixels, base, most)
    first = found[0].channels
    made = mapping(z, w, 2, classes)
    made |= {
        "synthesis.input.weight": torch.randn(first, first),
        "synthesis.input.freqs": torch.randn(first, 2) * 2,
        "synthesis.input.phases": torch.rand(first) - 0.5,
        "synthesis.input.transform": torch.tensor([[0.8, -0.6, 0.1], [0.6, 0.8, -0.2], [0.0, 0.0, 1.0]]),
        "synthesis.input.affine.weight": torch.randn(4, w),
        "synthesis.input.affine.bias": torch.randn(4),
    }
    for index, after in enumerate(found):
        name, before = f"synthesis.L{index}_{after.size}_{after.channels}", found[max(index - 1, 0)]
        side = 1 if radial or index == LAYERS else 3
        made |= {
            f"{name}.weight": torch.randn(after.channels, before.channels, side, side),
            f"{name}.bias": torch.randn(after.channels) * 0.1,
            f"{name}.magnitude_ema": torch.rand(()) + 0.5,
            **affine(name, before.channels, w),
        }
        if index < LAYERS:
            _, _, rise, fall = filters(found, index, radial)
            made |= {f"{name}.up_filter": rise.float(), f"{name}.down_filter": fall.float()}
    return made


def start(found: Mapping[str, Tensor], w: Tensor, band: Band) -> Tensor:
    """Waves of the turned and shifted plane."""
    made = []
    for one in dense(found, "synthesis.input.affine", w):
        cosine, sine, x, y = (one / one[:2].norm()).tolist()
        turn = torch.tensor([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], dtype=torch.float64)
        shift = torch.tensor([[1, 0, -x], [0, 1, -y], [0, 0, 1]], dtype=torch.float64)
        plane = turn @ shift @ found["synthesis.input.transform"]
        at = (torch.arange(band.size, dtype=torch.float64) + 0.5 - band.size / 2) / band.rate
        here = torch.stack([*torch.meshgrid(at, at, indexing="xy"), torch.ones(band.size, band.size)])
        moved = torch.einsum("ij,jhw->ihw", plane, here.double())[:2]
        waves = torch.sin(
            2
            * math.pi
            * (
                torch.einsum("ci,ihw->chw", found["synthesis.input.freqs"], moved)
                + found["synthesis.input.phases"][:, None, None]
            )
        )
        frequency = (found["synthesis.input.freqs"] @ plane[:2, :2]).norm(dim=1)
        loud = (1 - (frequency - band.cutoff) / (band.rate / 2 - band.cutoff)).clamp(0, 1)
        kernel = found["synthesis.input.weight"] / math.sqrt(len(loud))
        made.append(torch.einsum("oc,chw->ohw", kernel, waves * loud[:, None, None]))
    return torch.stack(made)


def layer(found: Mapping[str, Tensor], called: list[Band], index: int, radial: bool, maps: Tensor, w: Tensor) -> Tensor:
    before, after = called[max(index - 1, 0)], called[index]
    name = f"synthesis.L{index}_{after.size}_{after.channels}"
    kernel, scales = found[f"{name}.weight"], dense(found, f"{name}.affine", w)
    gain = 1 / found[f"{name}.magnitude_ema"].sqrt()
    bias = found[f"{name}.bias"][:, None, None]
    if index == LAYERS:
        scales = scales / math.sqrt(kernel.shape[1])
        return conv2d(maps * scales[:, :, None, None] * gain, kernel) + bias
    side = kernel.shape[2]
    up, down, rise, fall = filters(called, index, radial)
    total = (after.size - 1) * down + 1 - (before.size + side - 1) * up + len(rise) + len(fall) - 2
    low = (total + up) // 2
    made = []
    for one, scale in zip(maps.split(1), scales, strict=True):
        scaled = kernel * scale[None, :, None, None]
        scaled = scaled / (scaled.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        convolved = conv2d(one * gain, scaled, padding=side - 1) + bias
        wide = torch.zeros(1, after.channels, up * convolved.shape[2], up * convolved.shape[3], dtype=torch.float64)
        wide[:, :, ::up, ::up] = convolved
        wide = filtered(pad(wide, (low, total - low, low, total - low)), rise * up)
        made.append(filtered(math.sqrt(2) * leaky_relu(wide, 0.2), fall)[:, :, ::down, ::down])
    return torch.cat(made)


def filtered(maps: Tensor, kernel: Tensor) -> Tensor:
    """By a kernel of the plane, or by a line along both sides."""
    if kernel.dim() == 2:
        return torch.cat([conv2d(one[:, None], kernel[None, None]) for one in maps.unbind(1)], 1)
    return filtered(filtered(maps, kernel[None]), kernel[:, None])


def images(
    found: Mapping[str, Tensor], z: Tensor, label: Tensor | None, pixels: int, base: int, most: int, radial: bool
) -> Tensor:
    """What a generator makes."""
    called, w = bands(pixels, base, most), mapped(found, z, label)
    maps = start(found, w, called[0])
    for index in range(LAYERS + 1):
        maps = layer(found, called, index, radial, maps, w)
    return maps * 0.25
