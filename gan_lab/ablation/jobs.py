"""The jobs of an ablation: the model as it is and with each technique, each with several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_lab.command_line.nearest import nearest
from gan_lab.config import SEEDS, require_seed, require_whole
from gan_lab.errors import ConfigError
from gan_lab.records.sweep import Job, results_of
from gan_lab.storage.files import read_json

BASE = "none"  # the model as it is
FILE = "ablation.json"
MOST = 10_000  # seeds


@dataclass
class Variant(Job):
    """The training of one technique with one seed; `figures` are the run's own, by name."""

    technique: str
    seed: int
    figures: dict[str, Any] = field(default_factory=dict)
    better_low: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = f"{self.technique}/{self.seed}"
        added = [] if self.technique == BASE else [f"+technique=[{self.technique.replace('+', ',')}]"]
        self.overrides = [*added, f"seed={self.seed}"]

    @property
    def name(self) -> str:
        return f"{self.technique}, seed {self.seed}"

    def read(self, root: Path, max_steps: int, objective: str) -> bool:
        if not super().read(root, max_steps, objective):
            return False
        summary = read_json(root / self.folder / "summary.json")
        metrics = summary.get("metrics")
        records = metrics.items() if isinstance(metrics, dict) else ()
        self.figures = results_of(summary)
        self.better_low = {name: bool(record.get("lower_is_better", True)) for name, record in records}
        return True


def choose_techniques(asked: Any, known: Sequence[str]) -> list[str]:
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


def choose_seeds(asked: Any, first: int) -> list[int]:
    """`seeds=3`: three from `first` on; or a list of them. Raises ConfigError for anything else."""
    if isinstance(asked, int) and not isinstance(asked, bool) and asked >= 1:
        require_whole(asked, "seeds", most=MOST)
        require_seed(first + asked - 1, "seed")
        return [first + number for number in range(asked)]
    whole = isinstance(asked, (list, tuple)) and all(type(seed) is int and 0 <= seed < SEEDS for seed in asked)
    if not whole or not asked:
        raise ConfigError(f"seeds: {asked!r} is neither a number of seeds nor a list of them")
    return list(dict.fromkeys(asked))


def plan(techniques: Sequence[str], seeds: Sequence[int], stored: Sequence[Any]) -> list[Variant]:
    """Every job, one seed of all techniques before the next seed; what a stored list says of one is taken over."""
    told = {(job.get("technique"), job.get("seed")): job for job in stored if isinstance(job, dict)}
    jobs = [Variant(technique, seed) for seed in seeds for technique in (BASE, *techniques)]
    for job in jobs:
        before = told.get((job.technique, job.seed), {})
        if before.get("state") == "refused":
            job.state, job.error = "refused", str(before.get("error") or "")
        seconds = before.get("seconds")
        job.seconds = float(seconds) if isinstance(seconds, (int, float)) else None
    return jobs
