"""What limits a round: every layer that multiplies, alone, against the machine's ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.benchmark.ceilings import best
from gan_lab.benchmark.flops import count_flops
from gan_lab.engine.engine import Engine


class LayerSpeed(NamedTuple):
    """One layer at the size that it has in a round: FLOPs of its forward pass, FLOP/s forward, and of both passes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    flops: int
    forward: float
    both: float


def layer_speeds(
    networks: Mapping[str, nn.Module], inputs: Mapping[str, tuple[Tensor | None, ...]], engine: Engine
) -> list[LayerSpeed]:
    """Measure the layers of each network on what reaches them when it is called with `inputs[role]`."""
    seen: list[tuple[str, nn.Module, Tensor]] = []
    hooks = []
    for role, network in networks.items():
        for name, module in network.named_modules():
            if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):

                def hear(module: nn.Module, given: tuple[Tensor, ...], full: str = f"{role}.{name}") -> None:
                    if full not in [known for known, _, _ in seen]:
                        seen.append((full, module, given[0].detach()))

                hooks.append(module.register_forward_pre_hook(hear))
    with torch.no_grad(), engine.autocast():
        for role, network in networks.items():
            network(*inputs[role])
    for hook in hooks:
        hook.remove()
    return [_measured(name, module, given, engine) for name, module, given in seen]


def _measured(name: str, module: nn.Module, given: Tensor, engine: Engine) -> LayerSpeed:
    leaf = given.clone().requires_grad_()
    parameters = [p for p in module.parameters() if p.requires_grad]

    def forward() -> Tensor:
        with engine.autocast():
            out: Tensor = module(leaf)
        return out

    ones = torch.ones_like(forward())

    def both() -> None:
        torch.autograd.grad(forward(), [leaf, *parameters], ones)

    def alone() -> None:
        with torch.no_grad():
            forward()

    flops = multiplications(module, tuple(given.shape))
    forward_speed, speed = flops / best(alone, engine.device), 3 * flops / best(both, engine.device)
    return LayerSpeed(name, type(module).__name__, tuple(given.shape), flops, forward_speed, speed)


def multiplications(module: nn.Module, shape: tuple[int, ...]) -> int:
    """FLOPs of a layer's forward pass: two for a multiplication and an addition."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    if isinstance(module, nn.Linear):  # a Readout takes its whole map as one row
        return 2 * (math.prod(shape) // module.in_features) * weight.numel()
    if isinstance(module, nn.ConvTranspose2d):  # every place of the input meets the whole kernel
        return 2 * shape[0] * shape[2] * shape[3] * weight.numel()
    assert isinstance(module, nn.Conv2d)
    images, kernel = torch.empty(shape, device="meta"), torch.empty(weight.shape, device="meta")
    stride, padding, dilation, groups = module.stride, module.padding, module.dilation, module.groups
    return count_flops(lambda: torch.conv2d(images, kernel, None, stride, padding, dilation, groups))  # type: ignore[arg-type]


def table(speeds: list[LayerSpeed], ceiling: float) -> str:
    """Markdown: each layer's GFLOP/s and its share of the ceiling."""
    lines = ["| layer | in | GFLOP | forward GFLOP/s | forward + backward | of matmul |", "|---|---|---|---|---|---|"]
    for each in speeds:
        size = "x".join(str(side) for side in each.shape)
        lines.append(
            f"| {each.name} {each.kind} | {size} | {each.flops / 1e9:.2f} | {each.forward / 1e9:,.0f} | "
            f"{each.both / 1e9:,.0f} | {each.both / ceiling:.0%} |"
        )
    return "\n".join(lines)
