"""A generator that is tuned around codes until it makes the pictures themselves (PTI, Roich et al. 2021,
arXiv:2106.05744)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan_lab.engine.tf32 import without_tf32
from gan_lab.inversion.distance import Distance, squares
from gan_lab.sampling.space import Space

RATE = 3e-4
ENOUGH = 1e-4  # of the mean squared pixels
AT_ONCE = 8  # pictures of a step


@without_tf32()
def tune(
    space: Space,
    codes: Tensor,
    label: Tensor | None,
    wanted: Tensor,
    distance: Distance,
    steps: int,
    tell: Callable[[int], None] = lambda step: None,
    beside: Callable[[int], None] = lambda step: None,
) -> Tensor:
    """Move the weights of the space's network, by Adam, until it makes the pictures `(N, C, H, W)` of the codes that
    were found of them; returns what it makes. Averages and statistics stay as they are, and so do noise maps.

    It ends where pixels differ by no more than 1e-4 on average, where the paper's code ends at an LPIPS of 0.06.
    `beside` adds the gradients of what else is to be minimised at a step (`gan_lab.inversion.locality`); the paper's
    code, too, adds nothing by default.
    """
    device = space.engine.device
    parts = [*space.network.requires_grad_(True).parameters()]
    descent = torch.optim.Adam(parts, lr=RATE, betas=(0.9, 0.999))
    codes, wanted = codes.to(device), wanted.to(device)
    label = None if label is None else label.to(device)
    for step in range(steps):
        furthest = 0.0
        descent.zero_grad()
        for start in range(0, len(codes), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            condition = None if label is None else label[part]
            made = space.made(codes[part], condition)
            loss = distance(made, wanted[part], condition).sum() / len(codes)
            loss.backward()  # type: ignore[no-untyped-call]
            furthest = max(furthest, float(squares(made.detach(), wanted[part]).max()))
        tell(step + 1)
        if furthest <= ENOUGH:
            break
        beside(step)
        descent.step()
    space.network.requires_grad_(False)
    return space.images(codes.cpu(), None if label is None else label.cpu())
