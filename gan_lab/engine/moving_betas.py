"""Adam whose betas lie on the device, where a captured round reads them: so they may be scheduled.

torch's fused Adam takes betas as plain numbers, which a recorded round would keep for ever; its other forms read a beta
on the device back to the host (torch 2.6 to 2.14), which may not happen in a recording.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def let_betas_move(optimizer: torch.optim.Optimizer) -> bool:
    """Put the betas of an Adam or AdamW into 0-d tensors beside its parameters, and let it step by them from now on:
    float64, because 1 - beta is what counts. State and names stay torch's. Whether that was possible: subclasses may
    step in another way."""
    if type(optimizer) not in (torch.optim.Adam, torch.optim.AdamW):
        return False
    for group in optimizer.param_groups:
        device = group["params"][0].device
        group["betas"] = tuple(torch.as_tensor(beta, dtype=torch.float64, device=device) for beta in group["betas"])
    optimizer.step = functools.partial(step, optimizer)  # type: ignore[method-assign, assignment]
    return True


@torch.no_grad()
def step(optimizer: torch.optim.Optimizer, closure: None = None) -> None:
    """Kingma & Ba 2014 (arXiv:1412.6980, algorithm 1), with the options of torch.optim.Adam and AdamW; nothing is read
    back from the device."""
    for group in optimizer.param_groups:
        moving = [(p, p.grad) for p in group["params"] if p.grad is not None]
        if moving:
            decoupled = type(optimizer) is torch.optim.AdamW or bool(group.get("decoupled_weight_decay"))
            states = [*_states(optimizer, group)]
            _move(group, [p for p, _ in moving], [grad for _, grad in moving], states, decoupled)


def _states(optimizer: torch.optim.Optimizer, group: dict[str, Any]) -> Iterator[dict[str, Tensor]]:
    """What is remembered of every parameter that moves, made on first use."""
    names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")
    for parameter in group["params"]:
        if parameter.grad is None:
            continue
        state = optimizer.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state |= {name: torch.zeros_like(parameter, memory_format=torch.preserve_format) for name in names}
        yield state


def _move(
    group: dict[str, Any], values: list[Tensor], gradients: Any, states: list[dict[str, Tensor]], decoupled: bool
) -> None:
    means, squares, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
    (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
    gradients = torch._foreach_neg(gradients) if group["maximize"] else gradients
    if decay and decoupled:
        torch._foreach_mul_(values, _beside(values, 1 - lr * decay))
    elif decay:
        gradients = torch._foreach_add(gradients, values, alpha=decay)
    torch._foreach_add_(steps, 1)
    _average(means, gradients, beta1)
    _average(squares, torch._foreach_mul(gradients, gradients), beta2)
    if group["amsgrad"]:
        largest = [state["max_exp_avg_sq"] for state in states]
        torch._foreach_maximum_(largest, squares)
        squares = largest
    counts = torch.stack(steps)
    seen1, seen2 = (1 - beta**counts for beta in (beta1, beta2))  # what an average that began at 0 has seen
    deviations = torch._foreach_sqrt(squares)
    torch._foreach_div_(deviations, list(_beside(values, seen2.sqrt()).unbind()))
    torch._foreach_add_(deviations, group["eps"])
    torch._foreach_mul_(deviations, list(_beside(values, seen1 / -lr).unbind()))
    torch._foreach_addcdiv_(values, means, deviations)


def _average(means: list[Tensor], values: Any, beta: Tensor) -> None:
    """mean = beta mean + (1 - beta) value."""
    torch._foreach_mul_(means, _beside(means, beta))
    torch._foreach_add_(means, torch._foreach_mul(values, _beside(means, 1 - beta)))


def _beside(tensors: list[Tensor], number: Any) -> Any:
    """A number as these tensors can be multiplied by it."""
    return number.to(tensors[0]) if isinstance(number, Tensor) else number
