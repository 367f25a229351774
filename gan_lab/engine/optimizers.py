"""torch's optimizers, in the form that suits a device, and without what torch's compiler wraps around them.

That compiler takes seconds to import, and torch imports it to build an optimizer and to take its first step, where
nothing is compiled at all; the wrappers cost some of a small game's round, too.
"""

from __future__ import annotations

import contextlib
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer


def build(
    factory: Callable[..., Optimizer], parameters: Sequence[Tensor], device: torch.device, recorded: bool = False
) -> Optimizer:
    """Call an optimizer partial with a player's parameters: fused where class and device have such a form, and on CUDA
    capturable where the class can be. Where its steps may be `recorded` its rates lie on the device."""
    cls = getattr(factory, "func", factory)
    chosen = dict(getattr(factory, "keywords", None) or {})
    takes = inspect.signature(cls).parameters
    speed: dict[str, Any] = {}
    if "fused" in takes and not {"fused", "foreach"} & set(chosen) and has_fused_step(factory, device):
        speed["fused"] = True
    if device.type == "cuda" and "capturable" in takes and "capturable" not in chosen:
        speed["capturable"] = True
    optimizer = factory(parameters, **speed)
    if device.type == "cpu" and isinstance(optimizer, (Adam, AdamW)) and optimizer.defaults["fused"]:
        step_as_stored(optimizer)
    if recorded:
        put_rates_on(device, optimizer)
    return optimizer


def has_fused_step(factory: Callable[..., Optimizer], device: torch.device) -> bool:
    """Whether a class has a fused form on a device: some say so when they are built, some (Adagrad on CUDA, in torch
    2.11) when they step."""
    number = torch.zeros(1, device=device, requires_grad=True)
    number.grad = torch.zeros_like(number)
    try:
        step(factory([number], fused=True))
    except RuntimeError as error:
        if "fused" not in str(error):
            raise
        return False
    return True


def step_as_stored(optimizer: Adam | AdamW) -> None:
    """Let a fused Adam on a CPU see channels_last kernels as (O, H, W, I), which is how they lie, with gradients and
    averages: torch (2.14) copies gradients that are not contiguous, which took 3 to 5% of a round of pix2pix."""
    torch_lists: Callable[..., bool] = optimizer._init_group

    def list_as_stored(group: dict[str, Any], parameters: list[Tensor], *others: Any) -> bool:
        has_complex = torch_lists(group, parameters, *others)
        lists = [each for each in others if isinstance(each, list) and each]  # a flag is among AdamW's of torch 2.6
        for i, parameter in enumerate(parameters):
            if parameter.dim() == 4 and not parameter.is_contiguous():
                for tensors in (parameters, *(each for each in lists if each[i].dim() == 4)):
                    tensors[i] = tensors[i].permute(0, 2, 3, 1)
        return has_complex

    vars(optimizer)["_init_group"] = list_as_stored


def load_state(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Restore what a `state_dict()` tells of the parameters; rates and betas stay as they are.

    Averages are laid out as their parameters: torch's fused steps (2.14) go through memory as if they were, and a
    checkpoint may come from a machine with the other layout.
    """
    fresh = optimizer.state_dict()
    optimizer.load_state_dict({**fresh, "state": state["state"]})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def put_rates_on(device: torch.device, optimizer: Optimizer) -> None:
    """Let an optimizer read its rates from 0-d tensors, where it does so without reading them back. A rate as it was
    given, of which the device has 24 bits, is `initial_lr` in the groups then, as torch's schedulers call it."""
    for group in optimizer.param_groups:
        if group.get("capturable") or group.get("fused"):  # SGD has no capturable form, and needs none
            group["initial_lr"] = float(group["lr"])
            group["lr"] = torch.tensor(group["initial_lr"], device=device)


def step(optimizer: Optimizer) -> None:
    """`optimizer.step()`: for torch's own classes the bare one, where nobody listens and no gradient is to pass."""
    bare = type(optimizer).__module__.startswith("torch.optim.") and "step" not in vars(optimizer)
    listened = any(getattr(optimizer, f"_optimizer_step_{when}_hooks", None) for when in ("pre", "post"))
    if not bare or listened or optimizer.defaults.get("differentiable"):
        optimizer.step()
        return
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)


def can_be_captured(optimizer: Optimizer) -> bool:
    """Whether a step does the same work on the same memory every time, so that a recording of it may stand for it.

    torch's own SGD counts nothing; whoever else can says so by `capturable` in its groups. An optimizer that counts its
    steps in Python would stand still in a recording, and nothing would be heard of it.
    """
    return type(optimizer) is SGD or all(group.get("capturable") is True for group in optimizer.param_groups)


def leave_compiler_out() -> None:
    """Keep torch from importing its compiler to build an optimizer.

    torch wraps some methods so that its compiler skips them, and imports the compiler when the first of them is called;
    what that puts in their place is kept with the method. Here that is the method itself. A torch that does it in
    another way is left alone. Not to be called where something is to be compiled.
    """
    for method in vars(Optimizer).values():
        inside = getattr(method, "__wrapped__", None)
        if isinstance(method, types.FunctionType) and method.__code__.co_filename == torch._compile.__file__:
            with contextlib.suppress(AttributeError, TypeError):
                if not hasattr(inside, "__dynamo_disable"):
                    setattr(inside, "__dynamo_disable", inside)
