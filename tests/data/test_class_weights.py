"""Shares of classes in whole numbers, and what is no value of the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gan_lab.data.class_weights import apportion, check_balance, draws_of, weights_of_classes, weights_of_combinations
from gan_lab.errors import ConfigError


def test_draws() -> None:
    sizes = np.array([16, 4, 0, 4])
    assert draws_of("uniform", sizes) == [8, 8, 0, 8]
    assert draws_of("sqrt", sizes) == [12, 6, 0, 6]
    weights = weights_of_classes({"b": 3}, [*"abcd"])
    assert draws_of({"b": 3}, sizes, weights) == [12, 9, 0, 3]  # 16 : 12 : 4 of 32


def test_weights_of_what_images_have_and_have_not() -> None:
    combinations = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    balance = {"hat": 2, "-smile": 5, "-odd": 7}  # the last is what an attribute is called
    assert weights_of_combinations(balance, ["hat", "smile", "-odd"], combinations).tolist() == [5, 7, 70, 2]
    with pytest.raises(ConfigError, match=r"balance\.-hut: none of the data's attributes \(hat, smile\); nearest: hat"):
        weights_of_combinations({"-hut": 2}, ["hat", "smile"], combinations[:, :2])


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
