"""What truncation is worth, figure by figure: a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gan_lab.command_line.table import number, table
from gan_lab.metrics.figure import Figure
from gan_lab.pictures.lines import lines

ByTruncation = Mapping[float, Sequence[Figure]]


def rows(figures: ByTruncation, width: int | None) -> list[str]:
    """A table for people: a row for each truncation, a column for each figure that all of them have."""
    names = common(figures)
    found = [
        (f"{truncation:g}", *(number(values[name]) for name in names))
        for truncation, values in ((each, by_metric(taken)) for each, taken in figures.items())
    ]
    return table(("truncation", *names), found, width, names)


def picture(figures: ByTruncation) -> Tensor:
    """One above the other `(3, H, W)`: each figure of which less is better, and all others together."""
    lower = [each.card["metric"] for taken in figures.values() for each in taken if each.lower_is_better]
    names = common(figures)
    groups = [*([name] for name in names if name in lower), [name for name in names if name not in lower]]
    parts = []
    for group in filter(None, groups):
        curves = {name: [(each, by_metric(taken)[name]) for each, taken in sorted(figures.items())] for name in group}
        parts.append(lines(curves, f"{', '.join(group)} by truncation", "truncation"))
    return torch.cat(parts, 1)


def common(figures: ByTruncation) -> list[str]:
    """The metrics that were taken of every truncation."""
    taken = [by_metric(each) for each in figures.values()]
    return [name for name in taken[0] if all(name in each for each in taken)]


def by_metric(figures: Sequence[Figure]) -> dict[str, float]:
    return {each.card["metric"]: each.value for each in figures}
