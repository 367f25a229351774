"""StyleGAN2 by the formulas of its papers (arXiv:1912.04958, arXiv:2006.06676), over weights by their published names:
zeros between values, one kernel a sample, nothing of the package."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import conv2d, leaky_relu, one_hot

Weights = Mapping[str, Tensor]
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8


def filtered(maps: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    kernel = gain * torch.outer(TAPS, TAPS)[None, None]
    return torch.cat([conv2d(maps[:, index : index + 1], kernel, padding=padding) for index in range(maps.shape[1])], 1)


def with_zeros(maps: Tensor) -> Tensor:
    """A zero between every two values."""
    wide = maps.new_zeros(*maps.shape[:2], 2 * maps.shape[2] - 1, 2 * maps.shape[3] - 1)
    wide[:, :, ::2, ::2] = maps
    return wide


def doubled(image: Tensor) -> Tensor:
    return filtered(with_zeros(image), 2, 4.0)


def halved(maps: Tensor) -> Tensor:
    return filtered(maps, 1)[:, :, ::2, ::2]


def dense(weights: Weights, name: str, vectors: Tensor, rate: float = 1.0) -> Tensor:
    weight = weights[f"{name}.weight"] * rate / math.sqrt(weights[f"{name}.weight"].shape[1])
    return vectors @ weight.T + weights[f"{name}.bias"] * rate


def active(values: Tensor, gain: float = 1.0) -> Tensor:
    return gain * math.sqrt(2) * leaky_relu(values, 0.2)


def normal(vectors: Tensor) -> Tensor:
    return vectors / (vectors.square().mean(1, keepdim=True) + 1e-8).sqrt()


def mapped(weights: Weights, z: Tensor | None, label: Tensor | None) -> Tensor:
    parts = [] if z is None else [normal(z)]
    if label is not None:
        vectors = one_hot(label, weights["mapping.embed.weight"].shape[1]).double()
        parts.append(normal(dense(weights, "mapping.embed", vectors)))
    found = torch.cat(parts, 1)
    for index in range(sum(name.startswith("mapping.fc") for name in weights) // 2):
        found = active(dense(weights, f"mapping.fc{index}", found, 0.01))
    return found


def style_layer(weights: Weights, name: str, maps: Tensor, w: Tensor, up: bool = False, gain: float = 1.0) -> Tensor:
    scales, made = dense(weights, f"{name}.affine", w), []
    for one, scale in zip(maps.split(1), scales, strict=True):
        kernel = weights[f"{name}.weight"] * scale[None, :, None, None]
        kernel = kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:  # a convolution, of which torch's is the mirror image
            wide = conv2d(with_zeros(one), kernel.flip(2, 3), padding=2)
            made.append(filtered(wide, 1, 4.0))
        else:
            made.append(conv2d(one, kernel, padding=1))
    noise = weights[f"{name}.noise_strength"] * weights[f"{name}.noise_const"]
    return active(torch.cat(made) + noise + weights[f"{name}.bias"][:, None, None], gain)


def to_image(weights: Weights, name: str, maps: Tensor, w: Tensor) -> Tensor:
    kernel = weights[f"{name}.weight"]
    scales = dense(weights, f"{name}.affine", w) / math.sqrt(kernel.shape[1])
    return conv2d(maps * scales[:, :, None, None], kernel, weights[f"{name}.bias"])


def images(weights: Weights, z: Tensor, label: Tensor | None, sizes: list[int], psi: float = 1.0) -> Tensor:
    """What a generator makes, its noise the stored one."""
    w = mapped(weights, z, label)
    w = weights["mapping.w_avg"] + psi * (w - weights["mapping.w_avg"])
    maps = weights["synthesis.b4.const"][None].expand(len(z), -1, -1, -1)
    image: Tensor | None = None
    for size in sizes:
        block = f"synthesis.b{size}"
        residual, gain = None, 1.0
        if f"{block}.skip.weight" in weights:
            kernel = weights[f"{block}.skip.weight"]
            residual = doubled(conv2d(maps, kernel / math.sqrt(kernel.shape[1]))) * math.sqrt(0.5)
            gain = math.sqrt(0.5)
        if size > 4:
            maps = style_layer(weights, f"{block}.conv0", maps, w, up=True)
        maps = style_layer(weights, f"{block}.conv1", maps, w, gain=gain)
        maps = maps if residual is None else maps + residual
        image = None if image is None else doubled(image)
        if f"{block}.torgb.weight" in weights:
            new = to_image(weights, f"{block}.torgb", maps, w)
            image = new if image is None else image + new
    assert image is not None
    return image


def convolved(weights: Weights, name: str, maps: Tensor, down: bool = False, gain: float = 1.0) -> Tensor:
    kernel = weights[f"{name}.weight"]
    side = kernel.shape[2]
    kernel = kernel / math.sqrt(kernel[0].numel())
    if down:
        maps = conv2d(filtered(maps, (side + 1) // 2), kernel)[:, :, ::2, ::2]
    else:
        maps = conv2d(maps, kernel, padding=side // 2)
    bias = weights.get(f"{name}.bias")
    return maps * gain if bias is None else active(maps + bias[:, None, None], gain)


def with_deviation(maps: Tensor, group: int) -> Tensor:
    """One more map: how much features vary within each group of images."""
    count = len(maps) // group
    extra = torch.empty(len(maps), 1, *maps.shape[2:], dtype=maps.dtype)
    for first in range(count):
        own = maps[first::count]
        variance = (own - own.mean(0)).square().mean(0)
        extra[first::count] = (variance + 1e-8).sqrt().mean()
    return torch.cat([maps, extra], 1)


def scores(weights: Weights, image: Tensor, label: Tensor | None, sizes: list[int], group: int = 4) -> Tensor:
    """What a discriminator says of images."""
    maps: Tensor | None = None
    for size in sorted(sizes, reverse=True):
        block = f"b{size}"
        if f"{block}.fromrgb.weight" in weights:
            seen = convolved(weights, f"{block}.fromrgb", image)
            maps = seen if maps is None else maps + seen
        assert maps is not None
        if size > 4:
            residual = f"{block}.skip.weight" in weights
            gain = math.sqrt(0.5) if residual else 1.0
            below = convolved(weights, f"{block}.conv0", maps)
            below = convolved(weights, f"{block}.conv1", below, down=True, gain=gain)
            maps = below + convolved(weights, f"{block}.skip", maps, down=True, gain=gain) if residual else below
            image = halved(image)
    assert maps is not None
    maps = convolved(weights, "b4.conv", with_deviation(maps, group))
    features = active(dense(weights, "b4.fc", maps.flatten(1)))
    found = dense(weights, "b4.out", features)
    if label is None:
        return found[:, 0]
    return (found * mapped(weights, None, label)).sum(1) / math.sqrt(found.shape[1])
