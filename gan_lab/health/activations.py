"""Units that never fire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RECTIFIERS = {functional.relu, torch.relu, torch.relu_, functional.relu_, Tensor.relu, Tensor.relu_}


class DeadUnits(TorchFunctionMode):
    """While it is entered, counts the units behind rectifiers, and those that are 0 for every image at every place.

    A unit is a channel of `(N, C, ...)`. A dead one has no gradient: nothing brings it back (LeakyReLU has none such).
    """

    def __init__(self) -> None:
        super().__init__()
        self.units = 0
        self._alive: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in RECTIFIERS and isinstance(result, Tensor) and result.dim() > 1:
            fires = result.detach() > 0
            over = [0, *range(2, fires.dim())]
            self.units += fires.shape[1]
            self._alive.append(fires.any(over[0]) if len(over) == 1 else fires.flatten(2).any(2).any(0))
        return result

    @property
    def share(self) -> Tensor:
        """The share of dead units, 0-d; 0 where there are no rectifiers."""
        if not self._alive:
            return torch.zeros(())
        return 1 - torch.cat(self._alive).float().mean()
