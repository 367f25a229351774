"""Optimizer steps that can be differentiated: what an optimizer would make of its parameters, by what gradients.

Each rule is the formula of the optimizer that torch.optim names, written without changing anything in place, so that
whoever supposes a step can ask how its outcome depends on what the gradients depended on. Numbers of the optimizer that
live on the device (a learning rate, a count of steps) are used there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

State = Mapping[str, Any]
Rule = Callable[[Tensor, Tensor, State, Mapping[str, Any]], tuple[Tensor, dict[str, Any]]]


class Lookahead:
    """The parameters of an optimizer after steps that were not taken.

    `values` starts with the parameters as they are, a leaf each, in the order of the optimizer's groups; `step` goes
    on from the optimizer's present state. The optimizer, its state and its parameters stay as they are. Raises
    ValueError for an optimizer without a rule.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._rule = rule_of(optimizer)
        self._groups = [group for group in optimizer.param_groups for _ in group["params"]]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._states: list[State] = [optimizer.state.get(p, {}) for p in parameters]
        self.values: list[Tensor] = [p.detach().requires_grad_() for p in parameters]

    @property
    def states(self) -> list[State]:
        """What the optimizer would remember of each parameter, under torch.optim's names."""
        return self._states

    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """Move on by one step; where there is no gradient, nothing moves."""
        for index, gradient in enumerate(gradients):
            if gradient is not None:
                self.values[index], self._states[index] = self._rule(
                    self.values[index], gradient, self._states[index], self._groups[index]
                )


def rule_of(optimizer: torch.optim.Optimizer) -> Rule:
    """The differentiable step of an optimizer. Raises ValueError where there is none."""
    rule = RULES.get(type(optimizer))  # a subclass may step in another way
    if rule is None:
        names = ", ".join(cls.__name__ for cls in RULES)
        raise ValueError(f"{type(optimizer).__name__} has no differentiable step; those of {names} have")
    return rule


def sgd(value: Tensor, gradient: Tensor, state: State, group: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """b = momentum b + (1 - dampening) g, at first b = g; x = x - lr b, with Nesterov x - lr (g + momentum b)."""
    gradient = _decayed(_ascending(gradient, group), value, group)
    momentum, buffer = group["momentum"], state.get("momentum_buffer")
    if momentum:
        buffer = gradient if buffer is None else momentum * buffer + (1 - group["dampening"]) * gradient
        gradient = gradient + momentum * buffer if group["nesterov"] else buffer
    return value - group["lr"] * gradient, {"momentum_buffer": buffer} if momentum else {}


def rmsprop(value: Tensor, gradient: Tensor, state: State, group: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """v = alpha v + (1 - alpha) g^2; x = x - lr g / (sqrt(v) + eps), with the options of torch.optim.RMSprop."""
    gradient = _decayed(_ascending(gradient, group), value, group)
    alpha = group["alpha"]
    square = alpha * _remembered(state, "square_avg", value) + (1 - alpha) * gradient.square()
    after: dict[str, Any] = {"step": _count(state, value) + 1, "square_avg": square}
    if group["centered"]:
        mean = after["grad_avg"] = alpha * _remembered(state, "grad_avg", value) + (1 - alpha) * gradient
        square = square - mean.square()
    move = gradient / (root(square) + group["eps"])
    if group["momentum"]:
        move = after["momentum_buffer"] = group["momentum"] * _remembered(state, "momentum_buffer", value) + move
    return value - group["lr"] * move, after


def adam(value: Tensor, gradient: Tensor, state: State, group: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Kingma & Ba 2014 (arXiv:1412.6980, algorithm 1), with the options of torch.optim.Adam."""
    return _adam(value, gradient, state, group, bool(group.get("decoupled_weight_decay", False)))


def adamw(value: Tensor, gradient: Tensor, state: State, group: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Adam with x = (1 - lr * decay) x before its step (Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2)."""
    return _adam(value, gradient, state, group, decoupled=True)


def _adam(
    value: Tensor, gradient: Tensor, state: State, group: Mapping[str, Any], decoupled: bool
) -> tuple[Tensor, dict[str, Any]]:
    beta1, beta2 = group["betas"]
    lr, count = group["lr"], _count(state, value) + 1
    gradient = _ascending(gradient, group)
    if not decoupled:
        gradient = _decayed(gradient, value, group)
    elif group["weight_decay"]:
        value = value * (1 - lr * group["weight_decay"])
    mean = beta1 * _remembered(state, "exp_avg", value) + (1 - beta1) * gradient
    square = beta2 * _remembered(state, "exp_avg_sq", value) + (1 - beta2) * gradient.square()
    after: dict[str, Any] = {"step": count, "exp_avg": mean, "exp_avg_sq": square}
    if group["amsgrad"]:
        square = after["max_exp_avg_sq"] = torch.maximum(_remembered(state, "max_exp_avg_sq", value), square)
    count = count.to(value.dtype)
    deviation = root(square) / _weight(beta2, count).sqrt() + group["eps"]
    return value - lr / _weight(beta1, count) * (mean / deviation), after


def root(square: Tensor) -> Tensor:
    """The square root, with derivative 0 instead of infinity at 0 (a unit that is never active has no gradient)."""
    return square.clamp_min(torch.finfo(square.dtype).tiny).sqrt()


def _weight(beta: float | Tensor, count: Tensor) -> Tensor:
    """1 - beta^count, what a moving average that started at 0 has seen; exact to rounding for a beta near 1."""
    if isinstance(beta, Tensor):
        return -torch.expm1(count * beta.log())
    return -torch.expm1(count * (math.log(beta) if beta else -math.inf))


def _ascending(gradient: Tensor, group: Mapping[str, Any]) -> Tensor:
    return -gradient if group["maximize"] else gradient


def _decayed(gradient: Tensor, value: Tensor, group: Mapping[str, Any]) -> Tensor:
    return gradient + group["weight_decay"] * value if group["weight_decay"] else gradient


def _remembered(state: State, name: str, value: Tensor) -> Tensor:
    found: Tensor | None = state.get(name)
    return torch.zeros_like(value) if found is None else found


def _count(state: State, value: Tensor) -> Tensor:
    found: Tensor | None = state.get("step")
    return torch.zeros((), device=value.device) if found is None else found


RULES: dict[type[torch.optim.Optimizer], Rule] = {
    torch.optim.Adam: adam,
    torch.optim.AdamW: adamw,
    torch.optim.RMSprop: rmsprop,
    torch.optim.SGD: sgd,
}
