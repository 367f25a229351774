"""Ways from code to code."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.errors import ConfigError

PARALLEL = 1e-6  # the sine of an angle below which two codes have one direction, or opposite ones
CURVES = ("lerp", "slerp")


def lerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """The straight way, `share` from 0 to 1."""
    return start + share * (end - start)


def slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Along the great circle (Shoemake 1985), codes `(..., D)`: the direction turns evenly, the norm grows evenly.

    Nearly all of N(0, I) in many dimensions lies near the sphere of radius sqrt(D), and the middle of a straight way
    between two draws does not: its norm is smaller by a factor of sqrt(2) (White 2016, arXiv:1609.04468). Straight
    where two codes have one direction, or opposite ones, or none.
    """
    one, other = (code.double() for code in (start, end))
    sizes = [code.norm(dim=-1, keepdim=True) for code in (one, other)]
    units = [code / size.clamp(min=1e-12) for code, size in zip((one, other), sizes, strict=True)]
    # of 2 atan2(|a - b|, |a + b|), which is exact for small angles where acos is not
    angle = 2 * torch.atan2(
        (units[0] - units[1]).norm(dim=-1, keepdim=True), (units[0] + units[1]).norm(dim=-1, keepdim=True)
    )
    sine = angle.sin()
    turned = (((1 - share) * angle).sin() * units[0] + (share * angle).sin() * units[1]) / sine
    on_circle = turned * torch.lerp(sizes[0], sizes[1], share)
    straight = (sine.abs() < PARALLEL) | (torch.minimum(*sizes) == 0)
    return torch.where(straight, lerp(one, other, share), on_circle).to(start.dtype)


class Path:
    """From each of `keys` `(K, N, ..., D)` to the next, `N` codes at once, by `curve`; with `loop` on to the first.

    Raises ConfigError for an unknown curve, and for a single key.
    """

    def __init__(self, keys: Tensor, curve: str, loop: bool) -> None:
        if curve not in CURVES:
            raise ConfigError(f"kind: {curve!r} is not one of auto, {', '.join(CURVES)}")
        if len(keys) < 2:
            raise ConfigError("seeds: one is no way; give two or more, e.g. seeds=[1,2,3]")
        self.keys, self.loop = keys, loop
        self.between = lerp if curve == "lerp" else slerp
        self.legs = len(keys) if loop else len(keys) - 1

    def at(self, place: float) -> Tensor:
        """`(N, ..., D)`; `place` counts the keys that were passed, from 0 to `legs`."""
        leg = min(int(place), self.legs - 1)
        return self.between(self.keys[leg], self.keys[(leg + 1) % len(self.keys)], place - leg)

    def places(self, steps: int) -> Sequence[float]:
        """`steps` to every leg, evenly, from the first key on; the last key is one of them, the first of a loop is not
        there twice."""
        return [step / steps for step in range(self.legs * steps + (not self.loop))]
