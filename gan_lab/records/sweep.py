"""Jobs, each a training of several: those of a sweep with the files in its folder, and the table at its end.

A job of a sweep may run on another machine. What becomes of it is then told by a note, `.jobs/<number>.json`, which it
writes when it begins and when it ends. `sweep.json` sums all of them up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gan_lab.command_line.overrides import differing
from gan_lab.command_line.table import number, table
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.metrics.figure import find_figure
from gan_lab.storage.files import read_json, write_json

NOTES = ".jobs"
STOP = "stop"  # beside the notes: no further job begins, and those that run save and end
RENAMED = {  # figures under the names that they had in 0.5 and before
    "data/wait_share": "system/wait_share",
    "images_per_second": "system/images_per_second",
    "memory/peak": "system/memory_peak",
}


@dataclass(kw_only=True)
class Job:
    """One training of a sweep, a search or an ablation, in whose folder its own `folder` lies.

    `state` is waiting, running, finished, stopped (by a signal, saved), interrupted (killed, or not saved), failed,
    refused (its settings do not go together) or, in a search, pruned. `error` is one line.
    """

    overrides: list[str] = field(default_factory=list)
    folder: str = ""
    state: str = "waiting"
    objective: float | None = None
    seconds: float | None = None
    error: str = ""

    def read(self, root: Path, max_steps: int, objective: str) -> bool:
        """Take over what the run in `root` says of its end. Returns whether it has come to it."""
        summary = read_json(root / self.folder / "summary.json")
        step, seconds, value = summary.get("step"), summary.get("seconds"), objective_of(summary, objective)
        whole = isinstance(step, int) and (step >= max_steps or bool(summary.get("ended")))  # ended early: that was all
        if summary.get("state") != "finished" or not whole:
            return False
        self.state, self.error = "finished", ""
        self.objective = float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
        self.seconds = self.seconds or (float(seconds) if isinstance(seconds, (int, float)) else None)
        return True


@dataclass
class Numbered(Job):
    """A job of a sweep."""

    number: int

    @property
    def name(self) -> str:
        return f"job {self.number} ({' '.join(self.overrides)})"


@dataclass
class Sweep:
    """`objective` is the figure that the jobs are compared by, `session` the call of the command that runs them now."""

    folder: Path
    objective: str
    jobs: list[Numbered]
    session: str = ""

    def read(self, job: Numbered) -> dict[str, Any]:
        """Take over what a job has noted in this session. Returns the note, empty where there is none."""
        note = read_note(self.folder, job.number)
        if note.get("session") != self.session:
            return {}
        job.state, job.error = str(note.get("state")), str(note.get("error") or "")
        job.objective, job.seconds = note.get("objective"), note.get("seconds")
        return note

    def close(self) -> None:
        """Nothing runs any more: who has not told its end was interrupted."""
        for job in self.jobs:
            if job.state in ("waiting", "running"):
                self.read(job)
            if job.state == "running":
                job.state = "interrupted"
        self.save()

    def save(self) -> None:
        """Write `sweep.json`."""
        jobs = [{"job": facts.pop("number"), **facts} for facts in map(asdict, self.jobs)]
        failed = [job.number for job in self.jobs if job.state == "failed"]
        write_json(self.folder / "sweep.json", {"objective": self.objective, "failed": failed, "jobs": jobs})

    def lines(self, width: int | None) -> list[str]:
        """The table: job, the overrides that differ, objective, state, seconds."""
        header = ("job", "overrides", self.objective, "state", "seconds")
        told = differing([job.overrides for job in self.jobs])
        rows = [
            (str(job.number), " ".join(own), number(job.objective), job.state, number(job.seconds))
            for job, own in zip(self.jobs, told, strict=True)
        ]
        return table(header, rows, width, numbers=("job", self.objective, "seconds"))


def write_note(folder: Path, job: int, **facts: Any) -> None:
    """Tell how a job stands."""
    write_json(folder / NOTES / f"{job}.json", facts)


def read_note(folder: Path, job: int) -> dict[str, Any]:
    """What was last told about a job; empty where nothing was."""
    return read_json(folder / NOTES / f"{job}.json")


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


def results_of(summary: dict[str, Any]) -> dict[str, Any]:
    """The figures and metrics of a `summary.json` by name, as numbers: null is one that is none, nan. Those of an
    older run have today's names."""
    figures, metrics = summary.get("figures"), summary.get("metrics")
    found: dict[str, Any] = {}
    for name, value in figures.items() if isinstance(figures, dict) else ():
        found[RENAMED.get(str(name), str(name))] = value
    for name, record in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(record, dict):
            found[name] = record.get("value")
    return {name: math.nan if value is None else value for name, value in found.items()}


def objective_of(summary: dict[str, Any], objective: str) -> Any:
    """The figure of that name, or the only one below it (`fid` of `fid/...`); None where there is none."""
    found = results_of(summary)
    name = only_match(found, objective)
    return None if name is None else found[name]


def only_match(names: Mapping[str, Any], key: str) -> str | None:
    """The one of `names` that a key means; None where there is none, or several."""
    try:
        return find_figure(names, key)
    except ConfigError:
        return None


def stored_jobs(folder: Path) -> dict[int, dict[str, Any]]:
    """The jobs as `sweep.json` has them. Raises GanLabError for a folder that would lead out of the sweep's."""
    found = {}
    jobs = read_json(folder / "sweep.json").get("jobs")
    for job in jobs if isinstance(jobs, list) else []:
        if isinstance(job, dict) and isinstance(job.get("job"), int) and isinstance(job.get("folder"), str):
            if not (folder / job["folder"]).resolve().is_relative_to(folder.resolve()):
                where = f"{folder / 'sweep.json'}: job {job['job']}"
                raise GanLabError(f"{where} lies outside the sweep's folder ({job['folder']})")
            found[job["job"]] = job
    return found
