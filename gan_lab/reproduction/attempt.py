"""One run of a recipe with one seed, and what the runs of a recipe say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_lab.ablation.table import Cell
from gan_lab.records.sweep import Job, only_match, results_of
from gan_lab.reproduction.recipe import Recipe
from gan_lab.storage.files import read_json


@dataclass
class Attempt(Job):
    """`figures` are the run's own at its end, by name."""

    recipe: Recipe
    seed: int
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = f"{self.recipe.name}/{self.seed}"
        self.overrides = [f"experiment={self.recipe.name}", f"seed={self.seed}"]

    @property
    def name(self) -> str:
        return f"{self.recipe.name}, seed {self.seed}"

    def is_done(self, root: Path) -> bool:
        """Take over what its run says, if that has come to its end."""
        if not self.read(root, 0, ""):
            return False
        self.figures = results_of(read_json(root / self.folder / "summary.json"))
        return True

    def figure(self, metric: str) -> float | None:
        """The figure that a band is about; None where there is none."""
        name = only_match(self.figures, metric)
        found = None if name is None else self.figures[name]
        return float(found) if isinstance(found, (int, float)) else None

    @property
    def inside(self) -> bool:
        return self.state == "finished" and all(band.holds(self.figure(band.metric)) for band in self.recipe.bands)


@dataclass(frozen=True)
class Verdict:
    """What all attempts at one recipe come to."""

    recipe: Recipe
    attempts: Sequence[Attempt]

    @property
    def failed(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.state in ("failed", "refused")]

    @property
    def missing(self) -> list[Attempt]:
        """Those that were interrupted or have not begun."""
        return [each for each in self.attempts if each.state not in ("finished", "failed", "refused")]

    @property
    def inside(self) -> bool:
        """Whether every run lies inside every band."""
        return all(attempt.inside for attempt in self.attempts)

    def __str__(self) -> str:
        """inside, outside (2 of 3 runs), failed or unfinished."""
        if self.failed:
            return "failed"
        if self.missing:
            return "unfinished"
        out = sum(not attempt.inside for attempt in self.attempts)
        many = f" ({out} of {len(self.attempts)} runs)" if len(self.attempts) > 1 else ""
        return f"outside{many}" if out else "inside"

    def cell(self, metric: str) -> Cell:
        """The values of a figure over the seeds that are done."""
        found = (attempt.figure(metric) for attempt in self.attempts if attempt.state == "finished")
        return Cell(tuple(value for value in found if value is not None))

    @property
    def figures(self) -> str:
        """`fid 6.6 ± 0.4, modes 10 ± 0`."""
        return ", ".join(f"{band.metric} {str(self.cell(band.metric)) or 'not measured'}" for band in self.recipe.bands)

    def record(self) -> dict[str, Any]:
        """For json."""
        bands = {band.metric: {"at_least": band.at_least, "at_most": band.at_most} for band in self.recipe.bands}
        runs = [
            {
                "seed": each.seed,
                "state": each.state,
                "inside": each.inside,
                "seconds": each.seconds,
                "figures": {metric: each.figure(metric) for metric in bands},
                "error": each.error,
            }
            for each in self.attempts
        ]
        return {"recipe": self.recipe.name, "verdict": str(self), "bands": bands, "runs": runs}
