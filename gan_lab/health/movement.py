"""How far a round moves the weights, and how far they have come."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

PART = 4096  # numbers of each tensor that are looked at: enough for a norm, and no second copy of a large network
LEAST = 1e-2  # the size that others are compared with: weights that begin at 0 have none of their own


class Movement:
    """Of networks by role: relative size of a round's update, growth since the run began (`fresh`: now). Of several
    rounds, and of several networks of a kind (`generator_ab`, `generator_ba`), the one that moved most counts.

    Only matrices and kernels count: the gains of a normalisation start at 1, large beside everything else. Of each its
    first `PART` numbers, in the order in which they lie in memory, stand for the rest.
    """

    def __init__(self, networks: Mapping[str, nn.Module], fresh: bool) -> None:
        self._parts = {role: parts for role, network in networks.items() if (parts := _parts(network))}
        self._start = {role: norm(parts) for role, parts in self._parts.items()} if fresh else {}
        self._before: dict[str, list[Tensor]] = {}
        self._most: dict[str, Tensor] = {}

    def before(self) -> None:
        """Remember the weights before a round."""
        self._before = {role: [part.clone() for part in parts] for role, parts in self._parts.items()}

    def after(self) -> None:
        """Compare with the weights now, if they were remembered."""
        for role, before in self._before.items():
            parts, kind = self._parts[role], role.partition("_")[0]
            moved = norm(torch._foreach_sub(parts, before)) / norm(parts).clamp_min(LEAST)
            self._most[kind] = torch.maximum(self._most[kind], moved) if kind in self._most else moved
        self._before = {}

    def read(self) -> dict[str, Tensor]:
        """`update_generator` and so on, of the rounds since the last reading, and `growth`, where they are known: 0-d,
        the growth of the network that grew most."""
        found = {f"update_{kind}": most for kind, most in self._most.items()}
        self._most = {}
        growths = [norm(self._parts[role]) / start.clamp_min(LEAST) for role, start in self._start.items()]
        return {**found, "growth": torch.stack(growths).max()} if growths else found


def _parts(network: nn.Module) -> list[Tensor]:
    """Views of the first numbers of every matrix and kernel: they change with it."""
    weights = [p.detach() for p in network.parameters() if p.dim() > 1]
    return [w.as_strided((min(w.numel(), PART),), (1,)) for w in weights]


def norm(parts: list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    """The size of a number of theirs, 0-d: root mean square, every tensor counting the same."""
    return torch.stack([part.float().square().mean() for part in parts]).mean().sqrt()
