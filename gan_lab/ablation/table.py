"""The table of an ablation: figures by technique, as mean and spread over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from gan_lab.ablation.jobs import BASE, Variant
from gan_lab.command_line.table import number
from gan_lab.records.sweep import only_match


class Cell(NamedTuple):
    """The values of one figure over the seeds of one technique."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds (by n - 1), nan for one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan

    def __str__(self) -> str:
        if not self.values:
            return ""
        return number(self.mean) + (f" ± {self.spread:.2g}" if len(self.values) > 1 else "")


class Row(NamedTuple):
    """A technique with its cells by figure, how many seeds are done, what hinders the others, and why."""

    technique: str
    cells: dict[str, Cell]
    done: int
    note: str
    reasons: list[str]


class Table(NamedTuple):
    """`figures` are the columns; `low` those of them where less is better."""

    figures: list[str]
    low: list[str]
    rows: list[Row]
    seeds: int
    missing: list[str]

    def is_best(self, row: Row, figure: str) -> bool:
        """Whether a row has the best mean of a column in which the means differ."""
        means = {other.cells[figure].mean for other in self.rows if other.cells[figure].values}
        known = [mean for mean in means if not math.isnan(mean)]
        return len(known) > 1 and row.cells[figure].mean == (min if figure in self.low else max)(known)


def tabulate(jobs: Sequence[Variant], show: Sequence[str] | None) -> Table:
    """The rows: the model as it is, then the techniques, the best first by the first figure.

    `show` names figures as `gan_lab.metrics.figure.find` does; None is all metrics. What no run has is in `missing`.
    """
    done = [job for job in jobs if job.state == "finished"]
    low = {name for job in done for name, less in job.better_low.items() if less}
    high = {name for job in done for name, less in job.better_low.items() if not less}
    if show is None:
        names, missing = list(dict.fromkeys(name for job in done for name in job.better_low)), []
    else:
        everything = {name: None for job in done for name in job.figures}
        found = {key: only_match(everything, key) for key in show}
        names = [name for name in found.values() if name is not None]
        missing = [key for key, name in found.items() if name is None] if done else []
    techniques = list(dict.fromkeys(job.technique for job in jobs))
    rows = [_row(technique, [job for job in jobs if job.technique == technique], names) for technique in techniques]

    def rank(row: Row) -> tuple[bool, bool, float]:
        mean = row.cells[names[0]].mean if names else math.nan
        return row.technique != BASE, math.isnan(mean), -mean if names and names[0] in high else mean

    lower = [name for name in names if name in low or name not in high]
    return Table(names, lower, sorted(rows, key=rank), len({job.seed for job in jobs}), missing)


def _row(technique: str, jobs: Sequence[Variant], names: Sequence[str]) -> Row:
    done = [job for job in jobs if job.state == "finished"]
    values = {name: tuple(float(v) for job in done if (v := job.figures.get(name)) is not None) for name in names}
    refused = [job for job in jobs if job.state == "refused"]
    failed = [job for job in jobs if job.state == "failed"]
    waiting = len(jobs) - len(done) - len(refused) - len(failed)
    notes = [*(["refused"] if refused else []), *([f"{len(failed)} failed"] if failed else [])]
    notes += [f"{waiting} to come"] if waiting else []
    reasons = [f"{job.technique} refused: {job.error}" for job in refused[:1]]
    reasons += [f"{job.name} failed: {job.error}" for job in failed]
    return Row(technique, {name: Cell(found) for name, found in values.items()}, len(done), ", ".join(notes), reasons)


def cells(table: Table) -> tuple[list[str], list[list[str]]]:
    """Header and rows as text."""
    noted = any(row.note for row in table.rows)
    header = ["technique", *table.figures, "seeds", *(["note"] if noted else [])]
    rows = []
    for row in table.rows:
        figures = (str(row.cells[name]) for name in table.figures)
        rows.append([row.technique, *figures, str(row.done), *([row.note] if noted else [])])
    return header, rows


def markdown(table: Table, caption: str) -> str:
    """The table in Markdown; the best mean of each column is bold."""
    header, rows = cells(table)
    arrows = [f"{name} {'↓' if name in table.low else '↑'}" if name in table.figures else name for name in header]
    lines = [_line(arrows), _line(["---", *("---:" for _ in (*table.figures, "")), *(["---"] * ("note" in header))])]
    for row, told in zip(table.rows, rows, strict=True):
        for at, name in enumerate(table.figures, 1):
            if table.is_best(row, name):
                told[at] = f"**{told[at]}**"
        lines.append(_line(told))
    reasons = [f"- {reason}" for row in table.rows for reason in row.reasons]
    return "\n".join([*lines, "", caption, *(["", *reasons] if reasons else []), ""])


def _line(parts: Sequence[str]) -> str:
    return "| " + " | ".join(part.replace("|", "\\|") for part in parts) + " |"
