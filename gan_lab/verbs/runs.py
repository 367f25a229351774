"""`gan-lab runs`: the table of all runs below a folder, read from their files alone. Imports no torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.nearest import nearest_key
from gan_lab.command_line.overrides import differing
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.errors import ConfigError
from gan_lab.records.filter import conditions, words
from gan_lab.records.record import Record, find_runs
from gan_lab.storage.files import to_json

if TYPE_CHECKING:
    from omegaconf import DictConfig


COLUMNS = ("folder", "model", "dataset", "overrides", "step", "of", "images/s")
FORMATS = ("table", "json", "csv")


def main(cfg: DictConfig) -> None:
    """The Hydra task."""
    show, sort = words(cfg.show), words(cfg.sort)
    print(listing(Path(str(cfg.folder)), show, conditions(cfg["filter"]), sort, str(cfg.format)))


def listing(folder: Path, show: Sequence[str], tests: Sequence[Any], sort: Sequence[str], form: str = "table") -> str:
    """The runs below `folder` that pass all `tests`, in the order of the keys `sort` (`-key`: the largest first).

    Raises ConfigError for a folder that is not there, an unknown format, and a key that no run has.
    """
    if form not in FORMATS:
        raise ConfigError(f"format: {form!r} is not one of {', '.join(FORMATS)}")
    if not folder.is_dir():
        raise ConfigError(
            f"folder: there is no folder {folder}; runs lie in outputs unless hydra.run.dir= said otherwise"
        )
    everything = [Record(path, str(path.relative_to(folder))) for path in find_runs(folder)]
    for key in (*show, *(test.key for test in tests), *(key.removeprefix("-") for key in sort)):
        known(key, everything)
    records = [record for record in everything if all(test.holds(record.get(test.key)) for test in tests)]
    for key in reversed(sort):
        ordered(records, key.removeprefix("-"), descending=key.startswith("-"))
    if form == "json":
        return to_json([record.facts(show) for record in records], indent=2)
    if form == "csv":
        return as_csv(records, show)
    if not records:
        return f"no runs in {folder}" + (" that pass the filter" if everything else "")
    return "\n".join([*as_table(records, show), "", count_states(records)])


def known(key: str, records: Sequence[Record]) -> None:
    """Raise ConfigError where no run has such a figure or setting; the nearest is offered."""
    if not records or any(record.get(key) is not None for record in records):
        return
    names = {name for record in records[:50] for name in record.names()}
    if key not in names:
        raise ConfigError(f"no run has {key}{nearest_key(key, names) or '; figures are named like loss/generator'}")


def ordered(records: list[Record], key: str, descending: bool) -> None:
    """Sort in place: numbers before words, and what has no value last in either direction."""

    def kind(record: Record) -> int:
        value = record.get(key)
        if value is None or value != value:
            return 2
        return 0 if isinstance(value, (int, float)) else 1

    def rank(record: Record) -> tuple[float, str]:
        value = record.get(key)
        return (float(value), "") if kind(record) == 0 else (0.0, str(value))

    records.sort(key=rank, reverse=descending)
    records.sort(key=kind)


def figures(records: Sequence[Record], show: Sequence[str]) -> list[str]:
    """The columns behind the fixed ones: the figures that the runs are compared by, then those asked for."""
    objectives = [record.objective for record in records if record.objective]
    return list(dict.fromkeys([*objectives, *show]))


def rows(records: Sequence[Record], show: Sequence[str]) -> list[list[Any]]:
    """One row for each run, values as they are."""
    whole = [record for record in records if not record.damage]
    own = dict(zip(whole, differing([record.overrides for record in whole]), strict=True))
    named = figures(records, show)
    return [
        [
            record.name,
            record.get("model"),
            record.get("dataset"),
            record.damage or " ".join(own[record]),
            record.get("step"),
            record.get("max_steps"),
            record.get("images/s"),
            *(record.get(name) for name in named),
            record.state,
            record.get("when"),
        ]
        for record in records
    ]


def as_table(records: Sequence[Record], show: Sequence[str]) -> list[str]:
    """The table for a terminal, cut to its width."""
    named = figures(records, show)
    header = [*COLUMNS, *named, "state", "when"]
    cells = [[number(value) for value in row] for row in rows(records, show)]
    for row in cells:
        row[-1] = row[-1][:16].replace("T", " ")
    return table(header, cells, terminal_width(), numbers=("step", "of", "images/s", *named))


def as_csv(records: Sequence[Record], show: Sequence[str]) -> str:
    """The same rows, uncut, for machines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *figures(records, show), "state", "when"])
    writer.writerows(rows(records, show))
    return text.getvalue().rstrip("\n")


def count_states(records: Sequence[Record]) -> str:
    """`5 runs: 4 finished, 1 failed`."""
    states = [record.state for record in records]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{len(states)} run{'s' if len(states) != 1 else ''}: {told}"
