"""An exponential moving average of a network: the one that samples come from."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class ExponentialMovingAverage:
    """A second network, `module`, that follows the trained one: ema <- decay * ema + (1 - decay) * network.

    Karras et al. 2017 (arXiv:1710.10196, section 3) keep one with decay 0.999 for samples. With `warmup` the decay of
    step t is min(decay, (1 + t) / (10 + t)), so that the random start is forgotten quickly: the mean then reaches back
    over about t / 9 rounds, until that is as far as `decay` reaches. `half_life` instead of `decay` counts in real
    images, whatever the batch size: after so many a network's share is half (Karras et al. 2018, arXiv:1812.04948), and
    at 0 the average is the network itself; it has no warm-up, but can be scheduled. Floating buffers (BatchNorm
    statistics) are averaged like weights, integer ones copied; with `copy_buffers` all are, as where they are averages
    already.

    With `decay=0`, which is no average, `module` is the network itself in evaluation mode: rounds leave it alone, and
    it is copied when somebody asks for it. Where a schedule moves the decay it follows from the start (`let_move`).

    `1 - decay` lives in a 0-d tensor on the device: `advance` writes it from the host, `follow` only reads it, so
    a captured graph may replay `follow`. Raises ValueError for a `decay` outside [0, 1], a negative `half_life`, and
    unless exactly one of them is given.
    """

    def __init__(
        self,
        module: nn.Module,
        decay: float | None = 0.999,
        warmup: bool = True,
        half_life: float | None = None,
        copy_buffers: bool = False,
    ) -> None:
        if (decay is None) == (half_life is None):
            raise ValueError(f"ema: give decay or half_life, and null for the other, not {decay} and {half_life}")
        if decay is not None and not 0.0 <= decay <= 1.0:
            raise ValueError(f"decay must lie in [0, 1], not {decay}")
        if half_life is not None and not (math.isfinite(half_life) and half_life >= 0):
            raise ValueError(f"half_life is a number of images of at least 0, not {half_life}")
        self.decay = decay
        self.half_life = half_life
        self.warmup = warmup
        self.copy_buffers = copy_buffers
        self._module = copy.deepcopy(module).eval().requires_grad_(False)
        for parameter in self._module.parameters():
            parameter.grad = None
        self._same = module if decay == 0 else None  # the network that it is, where there is no average
        device = next(self._module.parameters()).device
        self._weight = 1.0
        self._on_host = device.type == "cpu"  # where the weight is read: a plain number is quicker there
        self.weight = torch.ones((), device=device)

    @property
    def module(self) -> nn.Module:
        """The averaged network as it is now."""
        if self._same is not None:
            _copy(self._module, self._same)
        return self._module

    def let_move(self) -> None:
        """A decay of 0 will not stay: follow in every round."""
        self._same = None

    def decay_at(self, step: int, images: int = 0) -> float:
        """The decay in use at `step` (rounds counted from 0), which shows so many `images`."""
        if self.half_life is not None:
            return 0.5 ** (images / self.half_life) if self.half_life > 0 else 0.0
        assert self.decay is not None
        return min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay

    def update(self, module: nn.Module, step: int, images: int = 0) -> None:
        """Move one step towards `module`."""
        self.advance(step, images)
        self.follow(module)

    def advance(self, step: int, images: int = 0) -> None:
        """Host part of an update: write the weight of the newcomer."""
        if self._same is not None:
            return
        self._weight = 1.0 - self.decay_at(step, images)
        self.weight.fill_(self._weight)

    @torch.no_grad()
    def follow(self, module: nn.Module) -> None:
        """Device part of an update: move every tensor of the average towards its counterpart in `module`."""
        if self._same is not None:
            return
        pairs: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        weights = len(list(module.parameters())) if self.copy_buffers else None
        for index, (mean, value) in enumerate(zip(_tensors(self._module), _tensors(module), strict=True)):
            if mean.is_floating_point() and (weights is None or index < weights):
                means, values = pairs.setdefault(mean.dtype, ([], []))
                means.append(mean)
                values.append(value)
            else:
                mean.copy_(value)
        for dtype, (means, values) in pairs.items():  # all tensors at once: mean + weight (value - mean)
            if self._on_host:
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


@torch.no_grad()
def _copy(to: nn.Module, module: nn.Module) -> None:
    for copied, value in zip(_tensors(to), _tensors(module), strict=True):
        copied.copy_(value)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
