"""An exponential moving average of a network: the one that samples come from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class ExponentialMovingAverage:
    """A second network, `module`, that follows the trained one: ema <- decay * ema + (1 - decay) * network.

    Karras et al. 2017 (arXiv:1710.10196, section 3) keep one with decay 0.999 for samples. With `warmup` the decay of
    step t is min(decay, (1 + t) / (10 + t)), so that the random start is forgotten quickly. Floating buffers (BatchNorm
    statistics) are averaged like weights, integer ones copied. `decay=0` makes it the network itself.

    `1 - decay` lives in a 0-d tensor on the device: `advance` writes it from the host, `follow` only reads it, so
    a captured graph may replay `follow`. Raises ValueError for a `decay` outside [0, 1].
    """

    def __init__(self, module: nn.Module, decay: float = 0.999, warmup: bool = True) -> None:
        if not 0.0 <= decay <= 1.0:
            raise ValueError(f"decay must lie in [0, 1], not {decay}")
        self.decay = decay
        self.warmup = warmup
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        for parameter in self.module.parameters():
            parameter.grad = None
        device = next(self.module.parameters()).device
        self._weight = 1.0
        self.weight = torch.ones((), device=device)

    def decay_at(self, step: int) -> float:
        """The decay in use at `step` (rounds counted from 0)."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay

    def update(self, module: nn.Module, step: int) -> None:
        """Move one step towards `module`."""
        self.advance(step)
        self.follow(module)

    def advance(self, step: int) -> None:
        """Host part of an update: write the weight of the newcomer."""
        self._weight = 1.0 - self.decay_at(step)
        self.weight.fill_(self._weight)

    @torch.no_grad()
    def follow(self, module: nn.Module) -> None:
        """Device part of an update: move every tensor of the average towards its counterpart in `module`."""
        pairs: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for mean, value in zip(_tensors(self.module), _tensors(module), strict=True):
            if mean.is_floating_point():
                means, values = pairs.setdefault(mean.dtype, ([], []))
                means.append(mean)
                values.append(value)
            else:
                mean.copy_(value)
        for dtype, (means, values) in pairs.items():  # all tensors at once: mean + weight (value - mean)
            if self.weight.device.type == "cpu":
                torch._foreach_lerp_(means, values, self._weight)
                continue
            differences = torch._foreach_sub(values, means)
            torch._foreach_mul_(differences, self.weight.to(dtype))
            torch._foreach_add_(means, differences)

    def state_dict(self) -> dict[str, Any]:
        """The averaged network's own state dict."""
        return self.module.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state dict of the averaged network."""
        self.module.load_state_dict(state)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
