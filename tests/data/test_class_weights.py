"""Shares of classes in whole numbers, and what is no value of the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gan_lab.data.class_weights import apportion, check_balance, draws_of
from gan_lab.errors import ConfigError


def test_draws() -> None:
    sizes = np.array([16, 4, 0, 4])
    assert draws_of("uniform", sizes, [*"abcd"]) == [8, 8, 0, 8]
    assert draws_of("sqrt", sizes, [*"abcd"]) == [12, 6, 0, 6]
    assert draws_of({"b": 3}, sizes, [*"abcd"]) == [12, 9, 0, 3]  # 16 : 12 : 4 of 32


def test_apportion() -> None:
    assert apportion([1, 1, 1], 10) == [4, 3, 3]
    assert apportion([0.1, 0.2, 0.7], 10) == [1, 2, 7]
    assert apportion([0, 5], 3) == [0, 3]
    assert apportion([5, 3, 1], 5) == [3, 2, 0]  # 2.78, 1.67, 0.56


@pytest.mark.parametrize(
    ("balance", "told"),
    [
        ("even", "dataset.balance=even: null, uniform, sqrt, or weights of classes"),
        ({}, "dataset.balance={}: null, uniform"),
        ([1, 2], "null, uniform"),
        ({"a": -1}, "dataset.balance.a: -1 must be at least 0"),
        ({"a": "two"}, "dataset.balance.a: 'two' is not a number"),
    ],
)
def test_what_is_no_balance(balance: Any, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_balance(balance)
    assert told in str(error.value)
