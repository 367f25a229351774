"""How many images a class is to have, and which classes cannot have more."""

from __future__ import annotations

from typing import Any

import pytest

from gan_lab.errors import ConfigError
from gan_lab.synthetic_data.plan import check_balance, targets

COUNTS = {"cat": 8, "dog": 3, "owl": 1, "elk": 0}


@pytest.mark.parametrize(
    ("balance", "classes", "cat", "dog"),
    [
        ("max", ["dog"], 8, 8),
        (5, ["cat", "dog"], 8, 5),  # never fewer than there are
        (20, ["cat", "dog"], 20, 20),
        (20, ["dog"], 8, 20),
        (0.5, ["cat", "dog"], 8, 4),
        (1.5, ["cat", "dog"], 12, 12),
    ],
)
def test_targets(balance: Any, classes: list[str], cat: int, dog: int) -> None:
    assert targets(COUNTS, balance, classes) == {"cat": cat, "dog": dog, "owl": 1, "elk": 0}


def test_all_classes_are_meant_where_none_is_named() -> None:
    assert targets({"a": 4, "b": 2, "c": 3}, "max", None) == {"a": 4, "b": 4, "c": 4}
    assert targets({"a": 4, "b": 1, "c": 2}, 3, ["c"]) == {"a": 4, "b": 1, "c": 3}  # b may be as it is


@pytest.mark.parametrize(
    ("counts", "balance", "classes", "told"),
    [
        (COUNTS, "max", None, "classes: owl has 1 image, of which nothing can be learned that is not in it already; "
         "leave it out: classes=[dog,elk]"),
        (COUNTS, "max", ["dog", "elk"], "classes: elk has no images, of which"),
        (COUNTS, "max", ["dig"], "classes: dig is not one of the data's (cat, dog, owl, elk); nearest: dog"),
        (COUNTS, 3, ["cat", "dog"], "balance=3: every class has as many already (0 to 8); a number above adds to them, "
         "e.g. balance=16"),
        ({"a": 2, "b": 2}, "max", None, "balance=max: every class has as many already (2 to 2)"),
    ],
)  # fmt: skip
def test_what_cannot_be(counts: dict[str, int], balance: Any, classes: list[str] | None, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        targets(counts, balance, classes)
    assert told in str(error.value)


@pytest.mark.parametrize("balance", ["min", 0, -1, 0.0, None, True, [3]])
def test_what_is_no_balance(balance: Any) -> None:
    with pytest.raises(ConfigError, match="balance"):
        check_balance(balance)


@pytest.mark.parametrize("balance", ["max", 1, 500, 0.5, 2.0])
def test_balances(balance: Any) -> None:
    check_balance(balance)
