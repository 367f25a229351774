"""The table of an ablation as a picture: a row for each technique, a dot for each seed, the mean and its spread."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gan_lab.ablation.jobs import BASE
from gan_lab.ablation.table import Table
from gan_lab.tuning.plots import canvas


def draw(path: Path, table: Table) -> Path | None:
    """Write the picture; nothing where there is no figure yet. The dashed line is the model as it is."""
    if not table.figures:
        return None
    count, rows = len(table.figures), len(table.rows)
    figure, panels = canvas(2.2 + 3.2 * count, 1.2 + 0.32 * rows, count)
    for axes, name in zip(panels, table.figures, strict=True):
        panel(axes, table, name)
    names = [row.technique + (f" ({row.note})" if row.note else "") for row in table.rows]
    panels[0].set_yticks(range(rows), names)
    panels[0].set_ylim(rows - 0.5, -0.5)
    figure.savefig(path)
    return path


def panel(axes: Any, table: Table, name: str) -> None:
    """One figure."""
    for at, row in enumerate(table.rows):
        cell = row.cells[name]
        if not cell.values:
            continue
        colour = "black" if row.technique == BASE else "tab:blue"
        axes.scatter(cell.values, [at] * len(cell.values), s=16, color=colour, alpha=0.5, linewidths=0)
        spread = None if math.isnan(cell.spread) else cell.spread
        axes.errorbar(cell.mean, at, xerr=spread, fmt="|", markersize=10, color=colour, linewidth=1.2)
        best = "bold" if table.is_best(row, name) else "normal"
        place = axes.get_yaxis_transform()
        axes.text(1.02, at, str(cell), transform=place, va="center", fontsize=7, fontweight=best)
        if row.technique == BASE:
            axes.axvline(cell.mean, color="black", linestyle="--", linewidth=0.6)
    axes.set_title(f"{name} ({'less' if name in table.low else 'more'} is better)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(axis="y", linewidth=0.3)
