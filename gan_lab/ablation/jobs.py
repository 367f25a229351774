"""The jobs of an ablation: the model as it is and with each technique, each with several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gan_lab.command_line.nearest import nearest
from gan_lab.errors import ConfigError
from gan_lab.records.sweep import finished, read_json, results_of

BASE = "none"  # the model as it is
FILE = "ablation.json"


@dataclass
class Job:
    """One training. `state` is waiting, running, finished, failed, refused (the technique does not go with the model)
    or interrupted; `figures` are the run's own, by name."""

    technique: str
    seed: int
    state: str = "waiting"
    seconds: float | None = None
    error: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    better_low: dict[str, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.technique}, seed {self.seed}"

    @property
    def folder(self) -> str:
        return f"{self.technique}/{self.seed}"

    def words(self) -> list[str]:
        """The overrides that make this job what it is."""
        chosen = [] if self.technique == BASE else [f"+technique=[{self.technique.replace('+', ',')}]"]
        return [*chosen, f"seed={self.seed}"]

    def read(self, folder: Path, max_steps: int, objective: str) -> bool:
        """Take over what the run in the ablation's folder says. Returns whether it has come to its end."""
        done = finished(folder / self.folder, max_steps, objective)
        if done is None:
            return False
        summary = read_json(folder / self.folder / "summary.json")
        metrics = summary.get("metrics")
        records = metrics.items() if isinstance(metrics, dict) else ()
        self.state, self.error, self.seconds = "finished", "", self.seconds or done[1]
        self.figures = results_of(summary)
        self.better_low = {name: bool(record.get("lower_is_better", True)) for name, record in records}
        return True

    def facts(self) -> dict[str, Any]:
        """For json."""
        return {**asdict(self), "folder": self.folder}


def chosen(asked: Any, known: Sequence[str]) -> list[str]:
    """The techniques that `techniques=` means: all, one, or a list, in which `a+b` is both at once.

    Raises ConfigError for one that is not there.
    """
    if asked == "all":
        return list(known)
    names = [str(name) for name in (asked if isinstance(asked, (list, tuple)) else [asked])]
    if not names or asked is None:
        raise ConfigError(f"techniques: name them, or all; there are: {', '.join(known)}")
    for name in names:
        for part in name.split("+"):
            if part not in known:
                raise ConfigError(f"techniques: unknown {part}{nearest(part, known)}; there are: {', '.join(known)}")
    return list(dict.fromkeys(names))


def seeds_of(asked: Any, first: int) -> list[int]:
    """`seeds=3`: three from `first` on; or a list of them. Raises ConfigError for anything else."""
    if isinstance(asked, int) and not isinstance(asked, bool) and asked >= 1:
        return [first + number for number in range(asked)]
    whole = isinstance(asked, (list, tuple)) and all(type(seed) is int and seed >= 0 for seed in asked)
    if not whole or not asked:
        raise ConfigError(f"seeds: {asked!r} is neither a number of seeds nor a list of them")
    return list(dict.fromkeys(asked))


def planned(techniques: Sequence[str], seeds: Sequence[int], stored: Sequence[Any]) -> list[Job]:
    """Every job, one seed of all techniques before the next seed; what a stored list says of one is taken over."""
    told = {(job.get("technique"), job.get("seed")): job for job in stored if isinstance(job, dict)}
    jobs = [Job(technique, seed) for seed in seeds for technique in (BASE, *techniques)]
    for job in jobs:
        before = told.get((job.technique, job.seed), {})
        if before.get("state") == "refused":
            job.state, job.error = "refused", str(before.get("error") or "")
        seconds = before.get("seconds")
        job.seconds = float(seconds) if isinstance(seconds, (int, float)) else None
    return jobs
