"""torch's optimizers without what its compiler wraps around them.

That compiler takes seconds to import, and torch imports it to build an optimizer and to take its first step, where
nothing is compiled at all; the wrappers cost some of a small game's round, too.
"""

from __future__ import annotations

import contextlib
import inspect
import types

import torch
from torch.optim import Optimizer


def step(optimizer: Optimizer) -> None:
    """`optimizer.step()`: for torch's own classes the bare one, where nobody listens and no gradient is to pass."""
    bare = type(optimizer).__module__.startswith("torch.optim.") and "step" not in vars(optimizer)
    listened = any(getattr(optimizer, f"_optimizer_step_{when}_hooks", None) for when in ("pre", "post"))
    if not bare or listened or optimizer.defaults.get("differentiable"):
        optimizer.step()
        return
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)


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
