"""What a search has found: `study.json`, a table of the trials, and the best overrides to paste."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gan_lab.command_line.console import command
from gan_lab.command_line.overrides import read
from gan_lab.command_line.table import number, table
from gan_lab.storage.files import write_json
from gan_lab.tuning.space import Space
from gan_lab.tuning.study import BASELINE, ERROR, TIME, Study

FILE = "study.json"
STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}


def facts(study: Study, space: Space) -> list[dict[str, Any]]:
    """Every trial that has begun, as plain data."""
    replaced = study.replaced()
    return [
        {
            "trial": trial.number,
            "state": "interrupted" if trial.number in replaced else STATES[trial.state.name],
            "value": trial.value,
            "step": trial.last_step,
            "overrides": space.words(trial.params) if trial.params else [],
            "baseline": bool(trial.user_attrs.get(BASELINE)),
            "seconds": trial.user_attrs.get(TIME),
            "error": str(trial.user_attrs.get(ERROR, "")),
            "folder": f"trials/{trial.number}",
        }
        for trial in study.trials
        if trial.state.name != "WAITING"
    ]


def save(folder: Path, about: dict[str, Any], study: Study, space: Space) -> None:
    """Write `study.json`: what the study is, by which it is taken up again, and how it stands."""
    best = study.best()
    found = {"best": None if best is None else best.number, "trials": facts(study, space)}
    write_json(folder / FILE, {**about, **found})


def lines(study: Study, space: Space, objective: str, width: int | None) -> list[str]:
    """The table, the best trial first; those without a value last."""
    rows = facts(study, space)
    order = {"finished": 0, "pruned": 1}
    rows.sort(key=lambda row: (order.get(row["state"], 2), study.sign * (row["value"] or 0.0), row["trial"]))
    names = short(list(space))
    header = ("trial", *names, objective, "step", "state", "seconds")
    cells = [
        [
            number(row["trial"]),
            *(_value(row["overrides"], key) for key in space),
            number(row["value"]),
            number(row["step"]),
            row["state"] + (" (as it is)" if row["baseline"] else ""),
            number(row["seconds"]),
        ]
        for row in rows
    ]
    return table(header, cells, width, numbers=("trial", *names, objective, "step", "seconds"))


def short(keys: Sequence[str]) -> list[str]:
    """As much of each dotted key, from its end, as tells them apart."""
    found = []
    for key in keys:
        parts = key.split(".")
        tails = [".".join(parts[-size:]) for size in range(1, len(parts) + 1)]
        alone = (tail for tail in tails if sum(f".{other}".endswith(f".{tail}") for other in keys) == 1)
        found.append(next(alone, key))
    return found


def _value(overrides: Sequence[str], key: str) -> str:
    return next((read(word).value or "" for word in overrides if read(word).key == key), "")


def to_paste(base: Sequence[str], own: Sequence[str]) -> str:
    """The command that trains what a trial has trained."""
    return command("train", *base, *own)
