"""What tests of networks of super-resolution share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

SIDE = 24


def shapes(scale: int, side: int = SIDE, channels: int = 3) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Of an image, and of an input `scale` times smaller."""
    return (channels, scale * side, scale * side), (channels, side, side)


def size(make: Callable[[], nn.Module]) -> int:
    """The parameters of a network, none of which is allocated."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in make().parameters())


def receptive_field(network: nn.Module, side: int, scale: int = 1) -> int:
    """How many rows of an input of `side` pixels, made by positive weights, a pixel in the middle of the output sees:
    by the gradient of that pixel, so no two contributions cancel."""
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_().add_(0.01)
    images = torch.ones(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    made = network(images)
    middle = scale * (side // 2)
    (gradient,) = torch.autograd.grad(made[0, 0, middle, middle], images)
    rows = gradient[0].abs().sum((0, 2)).nonzero().flatten()
    assert rows[0] > 0, "the input is too small to tell"
    assert rows[-1] < side - 1, "the input is too small to tell"
    return int(rows[-1] - rows[0]) + 1


@torch.no_grad()
def zero(*layers: nn.Module) -> None:
    """All parameters of these layers become 0."""
    for layer in layers:
        for parameter in layer.parameters():
            parameter.zero_()
