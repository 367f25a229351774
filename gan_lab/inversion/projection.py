"""A search for the code of which a generator makes a given image.

The schedule and its numbers are those of Karras et al. 2019 (arXiv:1912.04958, appendix D), for latents as for styles:
Adam at a rate that rises over the first twentieth of the steps and falls over the last quarter. A search among styles
begins at their average, adds noise that fades out over three quarters of the steps, and may change the maps of noise;
one among latents, where generators have many poor minima, begins at several draws and takes the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.engine.seeding import generator_of
from gan_lab.engine.tf32 import without_tf32
from gan_lab.inversion.distance import Distance
from gan_lab.inversion.noise_maps import NoiseMaps
from gan_lab.sampling.space import Space

RATE = 0.1
RISE, FALL = 0.05, 0.25  # of the steps
EXPLORED, EXPLORING = 0.05, 0.75  # of how far codes lie from their average; of the steps
UNLIKE_ITSELF = 1e5  # what the resemblance of noise maps with themselves is worth


class Projected(NamedTuple):
    """Of each picture the best of its starts: `codes` `(N, ..., dim)`, the images of them in [-1, 1], how far these are
    from the pictures, `curve` `(steps, N)` the distance at each step, and the noise maps by their parts' names."""

    codes: Tensor
    images: Tensor
    distance: Tensor
    curve: Tensor
    noise: dict[str, Tensor]


@without_tf32()
def project(
    space: Space,
    wanted: Tensor,
    label: Tensor | None,
    distance: Distance,
    steps: int,
    starts: int = 1,
    seed: int = 0,
    noise: bool = False,
    tell: Callable[[int], None] = lambda step: None,
) -> Projected:
    """Search for pictures `(N, C, H, W)` in [-1, 1], each from `starts` beginnings, of the classes `label` `(N,)`. With
    `noise` maps are changed too, where the space is one of styles. All searches go side by side, and none knows of
    another. `tell` hears of each step."""
    device = space.engine.device
    of_start = wanted.to(device).repeat_interleave(starts, 0)
    classes = None if label is None else label.repeat_interleave(starts)
    begun, far = space.beginnings(len(of_start), seed, classes)
    condition = None if classes is None else classes.to(device)
    maps = NoiseMaps(space.network, len(of_start)) if noise and far else NoiseMaps.none()
    codes = begun.to(device).clone().requires_grad_(True)
    parts = [codes, *maps.maps.values()]
    descent = torch.optim.Adam(parts, lr=RATE, betas=(0.9, 0.999))
    random = generator_of(f"projection {seed}")
    curve = torch.empty(steps, len(of_start))

    def made(codes: Tensor) -> Tensor:
        with maps.in_place():
            return space.made(space.whole(codes), condition)

    for step in range(steps):
        share = step / steps
        for group in descent.param_groups:
            group["lr"] = RATE * rate(share)
        away = far * EXPLORED * max(0.0, 1 - share / EXPLORING) ** 2
        strayed = codes + away * torch.randn(codes.shape, generator=random).to(device) if away else codes
        apart = distance(made(strayed), of_start, condition)
        loss = apart + UNLIKE_ITSELF * maps.penalty()
        for part, gradient in zip(parts, torch.autograd.grad(loss.sum(), parts), strict=True):
            part.grad = gradient
        descent.step()
        with torch.no_grad():
            codes.copy_(space.nearest(codes))
        maps.normalise()
        curve[step] = apart.detach().cpu()
        tell(step + 1)
    with torch.no_grad():
        images = made(codes)
        apart = distance(images, of_start, condition)
    best = apart.view(-1, starts).argmin(1).cpu() + starts * torch.arange(len(wanted))
    return Projected(
        space.whole(codes.detach()).cpu()[best].contiguous(),
        images.float().cpu().clamp(-1, 1)[best],
        apart.cpu()[best],
        curve[:, best],
        {name: each.detach().cpu()[best] for name, each in maps.maps.items()},
    )


def rate(share: float) -> float:
    """The factor on the learning rate after a share of the steps."""
    fall = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - share) / FALL))
    return fall * min(1.0, share / RISE)


def likeliest(
    space: Space, wanted: Tensor, classes: int, distance: Distance, steps: int, seed: int, tell: Callable[[int], None]
) -> Tensor:
    """The class `(N,)` of each picture: that from which a short search comes nearest."""
    tried = torch.arange(classes).repeat(len(wanted))
    found = project(space, wanted.repeat_interleave(classes, 0), tried, distance, steps, seed=seed, tell=tell)
    return found.distance.view(len(wanted), classes).argmin(1)
