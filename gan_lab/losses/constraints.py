"""What is done to a player's weights after its optimizer moved them: a set they must stay in (a penalty only pulls)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import nn

PLAYERS = ("generator", "discriminator")


class Constraint(ABC):
    """Called after every step of `player`'s optimizer. Raises ValueError for a player that is not in the game."""

    def __init__(self, player: str = "discriminator") -> None:
        if player not in PLAYERS:
            raise ValueError(f"player must be one of {', '.join(PLAYERS)}, not {player!r}")
        self.player = player

    @abstractmethod
    def __call__(self, network: nn.Module) -> None:
        """Change the weights of `network` in place, without waiting for the device."""


class WeightClipping(Constraint):
    """Every weight w becomes min(max(w, -bound), bound) (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1, line 7).

    Parameters are clipped and buffers (BatchNorm statistics) are not, as in the authors' code. The paper's bound is
    0.01. Raises ValueError for a `bound` that is not positive.
    """

    def __init__(self, bound: float = 0.01, player: str = "discriminator") -> None:
        super().__init__(player)
        if not (math.isfinite(bound) and bound > 0):
            raise ValueError(f"bound must be a positive number, not {bound}")
        self.bound = bound

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> None:
        parameters: list[torch.Tensor] = [p for p in network.parameters() if p.requires_grad]
        torch._foreach_clamp_min_(parameters, -self.bound)
        torch._foreach_clamp_max_(parameters, self.bound)
