"""How often classes are drawn, in whole numbers; without torch, which a dataset is described without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.nearest import nearest
from gan_lab.config import require_number
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

KEY = "dataset.balance"
EVEN = {"uniform": 0.0, "sqrt": 0.5}  # the power of a class's size that its share grows with


def check_balance(balance: Any) -> None:
    """Raise ConfigError for what is no value of the key."""
    if balance is None or (isinstance(balance, str) and balance in EVEN):
        return
    if not isinstance(balance, Mapping) or not balance:
        raise ConfigError(f"{KEY}={balance}: null, {', '.join(EVEN)}, or weights of classes, e.g. {KEY}={{cat:3}}")
    for name, weight in balance.items():
        require_number(weight, f"{KEY}.{name}", 0.0)


def draws_of(balance: Any, sizes: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> list[int]:
    """How often an epoch draws each class, of which there are so many images: as many draws as there are images.

    `uniform`: each class that has images as often as any other; `sqrt`: by the square root of how many it has; a
    mapping: an image by the `weights` of its class. Raises ConfigError where no image is left.
    """
    if weights is not None:
        shares = sizes * weights
    else:
        shares = np.where(sizes > 0, sizes.astype(np.float64) ** EVEN[balance], 0.0)
    if not shares.sum():
        raise ConfigError(f"{KEY}={dict(balance)}: leaves no image; give a class that has some a weight above 0")
    return apportion(shares, int(sizes.sum()))


def apportion(shares: Sequence[float] | NDArray[np.float64], count: int) -> list[int]:
    """Whole numbers in these shares that sum to `count`: each rounded down, and one more for those with the largest
    remainders (ties: the first of them)."""
    exact = np.asarray(shares, np.float64) / np.sum(shares) * count
    whole = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: count - int(whole.sum())]
    whole[rest] += 1
    return [int(number) for number in whole]


def weights_of_classes(balance: Mapping[Any, float], classes: Sequence[str]) -> NDArray[np.float64]:
    """Weights by the names of classes as `(K,)`: an image of such a class so many times as often as one of a class that
    is not named. Raises ConfigError for a class that is not there."""
    weights = np.ones(len(classes))
    for name, weight in balance.items():
        if str(name) not in classes:
            raise ConfigError(
                f"{KEY}.{name}: none of the data's classes ({listed(classes)}){nearest(str(name), classes)}"
            )
        weights[classes.index(str(name))] = float(weight)
    return weights


def weights_of_combinations(
    balance: Mapping[Any, float], attributes: Sequence[str], combinations: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The same by the names of attributes, for combinations of them `(M, A)` of 0 and 1: the product of the weights of
    what a combination has, and of what it has not by names with a - before them. Raises ConfigError for an attribute
    that is not there."""
    weights = np.ones(len(combinations))
    for name, weight in balance.items():
        plain = str(name) if str(name) in attributes else str(name).removeprefix("-")
        if plain not in attributes:
            raise ConfigError(
                f"{KEY}.{name}: none of the data's attributes ({listed(attributes)}){nearest(plain, attributes)}"
            )
        present = combinations[:, attributes.index(plain)] == int(plain == str(name))
        weights[present] *= float(weight)
    return weights
