"""Directions along which what a generator makes varies most (GANSpace, Härkönen et al. 2020, arXiv:2004.02546)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, normalize

from gan_lab.editing.directions import signed
from gan_lab.errors import ConfigError
from gan_lab.sampling.space import Space

NUMBERS = 1024  # of the features of an image, at most


def principal(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of vectors `(N, D)` the first `count` principal components `(count, D)`, largest variance first, and these."""
    centred = vectors.double() - vectors.double().mean(0)
    values, components = torch.linalg.eigh(centred.T @ centred / len(centred))
    return signed(components.flip(1).T[:count].contiguous()), values.flip(0)[:count]


def mapped_back(codes: Tensor, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Unit vectors `(count, D)` among codes `(N, D)` that go with the principal components of features `(N, F)`, and
    the components' variances: codes as least squares make them of what features have along each (section 3.2 of the
    paper). Of a linear generator of normal codes that is SeFa's answer."""
    components, values = principal(features, count)
    along = (features.double() - features.double().mean(0)) @ components.T
    centred = codes.double() - codes.double().mean(0)
    steps = torch.linalg.lstsq(along, centred).solution
    return signed(normalize(steps, dim=1)), values


def without_classes(features: Tensor, label: Tensor | None) -> Tensor:
    """Features less the mean of those of the same class: what a code is to explain."""
    if label is None:
        return features
    features = features.clone()
    _, alike = label.unique(dim=0, return_inverse=True)  # of attributes each combination
    for each in alike.unique():
        features[alike == each] -= features[alike == each].mean(0)
    return features


def features_of(space: Space, codes: Tensor, label: Tensor | None, layer: str | None) -> Tensor:
    """`(N, F)` of codes: what comes out of the network's part called `layer`, None: its images; maps by means over
    areas, so that no more than 1024 numbers come of each. Raises ConfigError for a part that there is not, or that
    gives none."""
    parts = dict(space.network.named_modules())
    if layer is not None and layer not in parts:
        names = ", ".join(name for name in parts if name and "." not in name)
        raise ConfigError(f"layer: the generator has no part {layer!r}; it has {names}, and theirs")
    seen: list[Tensor] = []

    def see(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor) and len(output) == len(images_of):
            seen.append(small(output))

    hook = None if layer is None else parts[layer].register_forward_hook(see)
    try:
        for start in range(0, len(codes), space.AT_ONCE):
            part = slice(start, start + space.AT_ONCE)
            images_of = codes[part]
            images = space.images(images_of, None if label is None else label[part])
            if layer is None:
                seen.append(small(images))
    finally:
        if hook is not None:
            hook.remove()
    found = torch.cat(seen) if seen else torch.empty(0)
    if len(found) != len(codes):
        raise ConfigError(f"layer: {layer} gives no features of its own for each image that is made of {space.name}")
    return found


def small(maps: Tensor) -> Tensor:
    """`(N, F)` of maps `(N, C, H, W)`."""
    if maps.dim() == 4:
        side = max(math.isqrt(NUMBERS // maps.shape[1]), 1)
        maps = adaptive_avg_pool2d(maps, [min(each, side) for each in maps.shape[2:]])  # type: ignore[arg-type]
    return maps.flatten(1).float().cpu()
