"""Figures of several truncations, side by side."""

from __future__ import annotations

import torch

from gan_lab.metrics.figure import Figure
from gan_lab.metrics.truncation_curve import common, picture, rows


def figures(*values: tuple[str, float, bool]) -> list[Figure]:
    return [Figure(f"{name}/pixels-60", value, None, low, {"metric": name}) for name, value, low in values]


CURVE = {
    0.5: figures(("fid", 9.0, True), ("precision", 0.8, False), ("recall", 0.1, False), ("kid", 1.0, True)),
    1.0: figures(("fid", 4.0, True), ("precision", 0.6, False), ("recall", 0.5, False)),
}


def test_a_table_of_what_all_have() -> None:
    assert common(CURVE) == ["fid", "precision", "recall"]
    head, first, second = (line.split() for line in rows(CURVE, 80))
    assert head == ["truncation", "fid", "precision", "recall"]
    assert (first, second) == (["0.5", "9", "0.8", "0.1"], ["1", "4", "0.6", "0.5"])


def test_what_is_better_low_stands_alone() -> None:
    assert picture(CURVE).shape == (3, 2 * 400, 640)
    assert picture({key: taken[1:3] for key, taken in CURVE.items()}).shape == (3, 400, 640)
    assert picture(CURVE).dtype == torch.uint8
