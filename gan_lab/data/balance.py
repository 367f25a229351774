"""Which samples an epoch draws: each of them once, or classes in other shares than the data has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.command_line.nearest import nearest
from gan_lab.config import require_number
from gan_lab.data.sources.listed import listed
from gan_lab.data.store import Store
from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError

KEY = "dataset.balance"
EVEN = {"uniform": 0.0, "sqrt": 0.5}  # the power of a class's size that its share grows with


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


def check_balance(balance: Any) -> None:
    """Raise ConfigError for what is no value of the key."""
    if balance is None or (isinstance(balance, str) and balance in EVEN):
        return
    if not isinstance(balance, Mapping) or not balance:
        raise ConfigError(f"{KEY}={balance}: null, {', '.join(EVEN)}, or weights of classes, e.g. {KEY}={{cat:3}}")
    for name, weight in balance.items():
        require_number(weight, f"{KEY}.{name}", 0.0)


def balanced(balance: Any, store: Store) -> Balanced | None:
    """What draws the samples of a store where classes are weighted; None where each is drawn once an epoch (null).

    `uniform`: each class that has images as often as any other; `sqrt`: by the square root of how many it has; weights
    by the names of classes: an image of such a class so many times as often as one of a class that is not named. An
    epoch has as many draws as there are images in each case, so a rare class repeats its own and a frequent one shows
    a part of them. Raises ConfigError for data without classes, and for a class that it does not have.
    """
    if balance is None:
        return None
    if store.labels is None or store.classes is None:
        raise ConfigError(f"{KEY}={balance}: {store.name} has no classes to balance; {KEY}=null")
    sizes = np.bincount(store.labels, minlength=len(store.classes))
    if isinstance(balance, Mapping):
        shares = sizes * _weights(balance, store.classes)
    else:
        shares = np.where(sizes > 0, sizes.astype(np.float64) ** EVEN[balance], 0.0)
    if not shares.sum():
        raise ConfigError(f"{KEY}={dict(balance)}: leaves no image; give a class that has some a weight above 0")
    return Balanced(store.labels, apportion(shares, len(store)))


def apportion(shares: Sequence[float] | NDArray[np.float64], count: int) -> list[int]:
    """Whole numbers in these shares that sum to `count`: each rounded down, and one more for those with the largest
    remainders (ties: the first of them)."""
    exact = np.asarray(shares, np.float64) / np.sum(shares) * count
    whole = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: count - int(whole.sum())]
    whole[rest] += 1
    return [int(number) for number in whole]


def _weights(balance: Mapping[Any, float], classes: Sequence[str]) -> NDArray[np.float64]:
    weights = np.ones(len(classes))
    for name, weight in balance.items():
        if str(name) not in classes:
            raise ConfigError(
                f"{KEY}.{name}: none of the data's classes ({listed(classes)}){nearest(str(name), classes)}"
            )
        weights[classes.index(str(name))] = float(weight)
    return weights
