from __future__ import annotations

import logging
import math

import pytest

from gan_lab.data.sources.naming import Column, doubts, in_order, spell, whole
from gan_lab.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "classes", "of_each"),
    [
        ([10, 2, 10, -1], ["-1", "2", "10"], [2, 1, 2, 0]),
        (["dog", "cat"], ["cat", "dog"], [1, 0]),
        ([b"dog", b"caf\xc3\xa9"], ["café", "dog"], [1, 0]),
        ([0.0, 4.0, 12.0, 4.0], ["0", "4", "12"], [0, 1, 2, 1]),
        (["0.0", "12.0", "4.0"], ["0", "4", "12"], [0, 2, 1]),
        (["10", "9"], ["9", "10"], [1, 0]),
        (["007", "12"], ["007", "12"], [0, 1]),
        ([True, False], ["false", "true"], [1, 0]),
        ([math.nan, 4.0, None, 0.0], ["0", "4"], [None, 1, None, 0]),
        (["cat", " ", "", " cat "], ["cat"], [0, None, None, 0]),
        (["4.0", "four"], ["4.0", "four"], [0, 1]),
    ],
)
def test_labels_are_indices_into_the_distinct_ones_in_order(
    values: list[object], classes: list[str], of_each: list[int | None]
) -> None:
    assert Column("x").read(values) == (classes, of_each)


def test_where_the_classes_are_noted_a_label_is_an_index() -> None:
    assert Column("x").read([1, -1, 0, None, 2, "0"], ["b", "a"]) == (["b", "a"], [1, None, 0, None, None, None])


@pytest.mark.parametrize("values", [[1, 1.5], ["a", [1]], [1, {"a": 1}], ["1", "0.5"], [0, [1, 2]], [1, (1,)]])
def test_other_values_are_refused_by_their_row(values: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"^x: labels are whole .* row 1 has .*dataset\.labels=none$"):
        Column("x").read(values)


def test_labels_that_are_asked_for_must_all_be_there() -> None:
    with pytest.raises(ConfigError, match=r"^x: 2 of 3 images have no label \(row 0, row 2\); .* with s=none$"):
        Column("x", "s", wanted=True).read([None, 1, math.nan])
    assert Column("x", wanted=True).read([0, 1]).of_each == [0, 1]


def test_a_column_without_any_label_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Column("x").read([None, ""]) == ([], [None, None])
    assert caplog.messages == ["x: none of the 2 images has a label in it"]


def test_spell_and_whole_and_in_order() -> None:
    assert [spell(value) for value in (4, 4.0, "4.0 ", None, math.nan, 4.5, [4])] == [
        "4",
        "4",
        "4.0",
        "",
        "",
        None,
        None,
    ]
    assert whole(["4.0", "-1", ""]) == {"4.0": "4", "-1": "-1"}
    assert whole(["4.5", "1e3", "2"]) is None
    assert whole(["4.5", "x"]) == {"4.5": "4.5", "x": "x"}
    assert in_order(["12.0", "4.0", "0.0"]) == ["0.0", "4.0", "12.0"]


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (["cat", "dog", "1"], []),
        (["NaN", "cat", "none"], ["of the class NaN, none;"]),
        (["-1", "0", "1"], ["of the class -1;"]),
        (["-1", "cold"], []),
        (["Cat", "cat", "dog"], ["Cat and cat are different classes"]),
        (["caf\u00e9", "cafe\u0301"], ["are different classes"]),
    ],
)
def test_classes_that_look_like_mistakes(classes: list[str], told: list[str]) -> None:
    found = list(doubts(classes))
    assert len(found) == len(told)
    assert all(part in text for part, text in zip(told, found, strict=True))
