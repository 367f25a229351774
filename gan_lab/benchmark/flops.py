"""FLOPs counted as torch launches them: products and convolutions, forward and back, of any order of derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Counter(TorchDispatchMode):
    """Adds up, while entered, what torch's own formulas say of every operation that has one. (torch's FlopCounterMode
    also follows modules, by hooks that a gradient penalty's `autograd.grad` refuses.)"""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.flops += int(formula(*args, **(kwargs or {}), out_val=result))
        return result


def count_flops(play: Callable[[], object]) -> int:
    """FLOPs of `play()`: two for a multiplication and an addition."""
    with Counter() as counter:
        play()
    return int(counter.flops)
