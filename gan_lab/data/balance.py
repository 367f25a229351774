"""Which samples an epoch draws: each of them once, or classes in other shares than the data has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.data.class_weights import KEY, draws_of, weights_of_classes, weights_of_combinations
from gan_lab.data.store import Store
from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError


class EachOnce:
    """Every epoch is a new permutation of `count` samples."""

    def __init__(self, count: int) -> None:
        self.count = count

    def epoch(self, seed: int, epoch: int, name: str = "") -> Tensor:
        """The samples of an epoch `(count,)` int64, in the order in which they are drawn. Streams of another `name`
        draw otherwise from the same seed."""
        return torch.randperm(self.count, generator=generator_of(f"{seed} {epoch}{name}"))


class Balanced:
    """Every epoch draws each class so often as `draws` says, in a mixed order.

    A class goes through its samples in permutations that run on across epochs: none is drawn twice before all others
    of its class were drawn once, however few or many of them an epoch takes. All of it is a function of the seed and
    the number of the epoch, so nothing has to be remembered to go on.
    """

    def __init__(self, labels: NDArray[np.int64], draws: Sequence[int]) -> None:
        self.count = sum(draws)
        self.draws = draws
        order = torch.from_numpy(np.argsort(labels, kind="stable"))
        self.members: tuple[Tensor, ...] = order.split(np.bincount(labels, minlength=len(draws)).tolist())

    def epoch(self, seed: int, epoch: int, name: str = "") -> Tensor:
        """As of `EachOnce`."""
        numbers = [number for number, wanted in enumerate(self.draws) if wanted]
        drawn = torch.cat([self._of_class(number, epoch, f"{seed}{name}") for number in numbers])
        return drawn[torch.randperm(self.count, generator=generator_of(f"{seed} {epoch}{name}"))]

    def _of_class(self, number: int, epoch: int, words: str) -> Tensor:
        members, wanted = self.members[number], self.draws[number]
        first, skipped = divmod(epoch * wanted, len(members))
        passes = range(first, first + (skipped + wanted - 1) // len(members) + 1)
        orders = [
            torch.randperm(len(members), generator=generator_of(f"{words} class {number} pass {each}"))
            for each in passes
        ]
        drawn: Tensor = members[torch.cat(orders)[skipped : skipped + wanted]]
        return drawn


def balanced(balance: Any, store: Store) -> Balanced | None:
    """What draws the samples of a store where classes are weighted (see `gan_lab.data.class_weights.draws_of`); None
    where each is drawn once an epoch. A rare class repeats its own and a frequent one shows a part of them. Where the
    data has attributes, each combination of them that occurs is a class. Raises ConfigError for data with neither, and
    as `draws_of`.
    """
    if balance is None:
        return None
    if store.labels is None or (store.classes is None and store.attributes is None):
        raise ConfigError(f"{KEY}={balance}: {store.name} has no classes to balance; {KEY}=null")
    labels, weights = store.labels, None
    if store.attributes is not None:
        combinations, labels = np.unique(store.labels, axis=0, return_inverse=True)
        labels = labels.reshape(-1).astype(np.int64)
        if isinstance(balance, Mapping):
            weights = weights_of_combinations(balance, store.attributes, combinations)
    elif isinstance(balance, Mapping):
        weights = weights_of_classes(balance, store.classes or [])
    sizes = np.bincount(labels, minlength=len(store.classes or ()))
    return Balanced(labels, draws_of(balance, sizes, weights))
