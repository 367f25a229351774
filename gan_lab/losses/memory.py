"""What a regularizer remembers from turn to turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gan_lab.losses.regularizers import Regularizer, Turn


class Remembering(Regularizer):
    """A regularizer with named tensors of its own, saved and restored bit for bit.

    They are made on first use, on the device of what they follow, and changed in place ever after.
    """

    def __init__(self, weight: float, every: int = 1) -> None:
        super().__init__(weight, every)
        self._memory: dict[str, Tensor] = {}

    def remembered(self, name: str, initial: Tensor, turn: Turn) -> Tensor:
        """The tensor of that name, of the turn's duel; a copy of `initial` at first, and always on its device."""
        name = f"{turn.duel}.{name}" if turn.duel else name
        kept = self._memory.get(name)
        if kept is None:
            self._memory[name] = initial.detach().clone()
        elif kept.device != initial.device:  # it comes from a checkpoint
            self._memory[name] = kept.to(initial.device)
        return self._memory[name]

    def state_dict(self) -> dict[str, Any]:
        return dict(self._memory)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._memory = {name: tensor.detach().clone() for name, tensor in state.items()}
