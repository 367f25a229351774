"""The folder of a sweep: which jobs it has, how each of them stands, and the table at its end.

A job runs in a process of its own where the launcher says so, so what becomes of it is told by files: a note
`.jobs/<number>.json` when it begins and when it ends, and its run's `summary.json`. `sweep.json` sums them up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gan_lab.command_line.overrides import differing
from gan_lab.command_line.table import number, table
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.metrics.figure import find
from gan_lab.storage.files import write_json

NOTES = ".jobs"
STOP = "stop"  # beside the notes: no further job begins, and those that run save and end
LIMIT = 10_000_000  # bytes of a note or summary


@dataclass
class Entry:
    """One job. `state` is waiting, running, finished, stopped, failed or interrupted; `folder` lies in the sweep's."""

    job: int
    overrides: list[str]
    folder: str
    state: str = "waiting"
    objective: float | None = None
    seconds: float | None = None
    error: str = ""

    def name(self) -> str:
        return job_name(self.job, self.overrides)


def job_name(job: int, overrides: Sequence[str]) -> str:
    """`job 3 (seed=4)`."""
    return f"job {job} ({' '.join(overrides)})"


class Sweep:
    """`objective` is the figure that the jobs are compared by, `session` the call of the command that runs them now."""

    def __init__(self, folder: Path, objective: str, entries: list[Entry], session: str = "") -> None:
        self.folder = folder
        self.objective = objective
        self.entries = entries
        self.session = session
        self._told: dict[int, str] = {}

    def refresh(self) -> list[Entry]:
        """Read the notes of this session. Returns the jobs whose state has changed."""
        changed = []
        for entry in self.entries:
            note = read_note(self.folder, entry.job)
            if note.get("session") != self.session or note.get("state") == self._told.get(entry.job):
                continue
            entry.state = self._told[entry.job] = str(note.get("state"))
            entry.objective, entry.seconds = note.get("objective"), note.get("seconds")
            entry.error = str(note.get("error") or "")
            changed.append(entry)
        return changed

    def close(self) -> None:
        """Nothing runs any more: who has not told its end was interrupted."""
        self.refresh()
        for entry in self.entries:
            if entry.state == "running":
                entry.state = "interrupted"

    @property
    def moved(self) -> bool:
        """Whether a job of this session has run to its end or to a checkpoint."""
        return any(state in ("finished", "stopped") for state in self._told.values())

    def save(self) -> None:
        """Write `sweep.json`."""
        jobs = [asdict(entry) for entry in self.entries]
        failed = [entry.job for entry in self.entries if entry.state == "failed"]
        write_json(self.folder / "sweep.json", {"objective": self.objective, "failed": failed, "jobs": jobs})

    def lines(self, width: int | None) -> list[str]:
        """The table: job, the overrides that differ, objective, state, seconds."""
        header = ("job", "overrides", self.objective, "state", "seconds")
        told = differing([entry.overrides for entry in self.entries])
        rows = [
            (str(entry.job), " ".join(own), number(entry.objective), entry.state, number(entry.seconds))
            for entry, own in zip(self.entries, told, strict=True)
        ]
        return table(header, rows, width, numbers=("job", self.objective, "seconds"))


def write_note(folder: Path, job: int, **facts: Any) -> None:
    """Tell how a job stands."""
    write_json(folder / NOTES / f"{job}.json", facts)


def read_note(folder: Path, job: int) -> dict[str, Any]:
    """What was last told about a job; empty where nothing was."""
    return read_json(folder / NOTES / f"{job}.json")


def read_json(path: Path) -> dict[str, Any]:
    """A small json document that anybody may have written; empty where there is none that can be read."""
    try:
        if path.stat().st_size > LIMIT:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def stop_asked(folder: Path) -> bool:
    return (folder / NOTES / STOP).exists()


def ask_to_stop(folder: Path, asked: bool) -> None:
    """Ask the jobs of a sweep to end, or take that back."""
    flag = folder / NOTES / STOP
    if asked:
        flag.parent.mkdir(exist_ok=True)
        flag.touch()
    else:
        flag.unlink(missing_ok=True)


def finished(run: Path, max_steps: int, objective: str) -> tuple[float | None, float | None] | None:
    """The objective and the seconds of a job that has done its `max_steps`; None where there is more to do."""
    summary = read_json(run / "summary.json")
    step = summary.get("step")
    short = isinstance(step, int) and step < max_steps and not summary.get("ended")  # ended early: that was all
    if summary.get("state") != "finished" or not isinstance(step, int) or short:
        return None
    value = objective_of(summary, objective)
    seconds = summary.get("seconds")
    return (
        float(value) if isinstance(value, (int, float)) else None,
        float(seconds) if isinstance(seconds, (int, float)) else None,
    )


def results_of(summary: dict[str, Any]) -> dict[str, Any]:
    """The figures and metrics of a `summary.json` by name, as numbers."""
    figures, metrics = summary.get("figures"), summary.get("metrics")
    found = dict(figures) if isinstance(figures, dict) else {}
    for name, record in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(record, dict):
            found[name] = record.get("value")
    return found


def objective_of(summary: dict[str, Any], objective: str) -> Any:
    """The figure of that name, or the only one below it (`fid` of `fid/...`); None where there is none."""
    found = results_of(summary)
    try:
        name = find(found, objective)
    except ConfigError:
        return None
    return None if name is None else found[name]


def stored_folders(folder: Path) -> dict[int, str]:
    """The folder of each job as `sweep.json` has it; names that would lead out of the sweep's are refused."""
    found = {}
    jobs = read_json(folder / "sweep.json").get("jobs")
    for entry in jobs if isinstance(jobs, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("job"), int) and isinstance(entry.get("folder"), str):
            name = entry["folder"]
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise GanLabError(
                    f"{folder / 'sweep.json'}: job {entry['job']} lies outside the sweep's folder ({name})"
                )
            found[entry["job"]] = name
    return found
