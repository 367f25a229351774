"""What the files of a run tell about it: how far it is, its figures, its settings."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from gan_lab.command_line.overrides import own_overrides
from gan_lab.config import leaves
from gan_lab.records.sweep import RENAMED, objective_of, results_of
from gan_lab.storage.files import LIMIT, read_json
from gan_lab.storage.lock import is_held

PROVENANCE = re.compile(r"^(?:choices|overrides):", re.MULTILINE)  # gan-lab writes them last


class Record:
    """One run. What cannot be read is absent, and `damage` says what is wrong; nothing here raises."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.summary = read_json(path / "summary.json") or of_sweep(path)
        self.damage = ""
        try:
            self._files = set(os.listdir(path))
        except OSError:
            self._files, self.damage = set(), "the folder cannot be read"
        self._told = self._tail()
        if not self.figures and "summary.json" in self._files and not read_json(path / "summary.json"):
            self.damage = "summary.json cannot be read"

    @cached_property
    def state(self) -> str:
        """running, finished, stopped, failed, interrupted (it says running, and nobody runs it) or damaged."""
        said = self.summary.get("state", "running" if not self.damage else "damaged")
        if said != "running":
            return str(said)
        return "running" if is_held(self.path) else "interrupted"

    @cached_property
    def text(self) -> str:
        """`config.yaml`, which a run that has not begun lacks."""
        path = self.path / "config.yaml"
        try:
            return path.read_text(encoding="utf-8") if path.stat().st_size <= LIMIT else ""
        except (OSError, ValueError):
            return ""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The whole configuration by dotted key: slow, so only for keys that are found nowhere else."""
        return dict(leaves(read_mapping(self.text) or {}))

    def _tail(self) -> dict[str, Any]:
        """The chosen names and the overrides: the end of `config.yaml`, a fraction of the time of the whole.

        A run that ended before it had begun has but Hydra's notes.
        """
        if "config.yaml" not in self._files:
            return before_it_began(self.path / ".hydra" / "hydra.yaml")
        found = PROVENANCE.search(self.text)
        told = read_mapping(self.text[found.start() :]) if found else read_mapping(self.text)
        if not told:
            self.damage = "config.yaml cannot be read"
        return told or {}

    @property
    def choices(self) -> dict[str, Any]:
        chosen = self._told.get("choices")
        return chosen if isinstance(chosen, dict) else {}

    @cached_property
    def overrides(self) -> list[str]:
        """What was typed, without the model and the dataset, which have columns of their own."""
        typed = self._told.get("overrides")
        words = [word for word in typed if isinstance(word, str)] if isinstance(typed, list) else []
        return [word for word in words if not word.startswith(("model=", "dataset="))]

    @cached_property
    def objective(self) -> str:
        """The name of the figure that this run is compared by."""
        named = re.search(r"^objective: *['\"]?([^'\"\n]+)", self.text, re.MULTILINE)
        return named[1] if named else ""

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Figures and metrics by name."""
        return results_of(self.summary)

    def get(self, key: str) -> Any:
        """A column, a figure, a group's choice or a setting by its dotted key; None where this run has none."""
        key = RENAMED.get(key, key)
        if key in OWN:
            return OWN[key](self)
        for place in (self.figures, self.choices, self.summary):
            if key in place and not isinstance(place[key], (dict, list)):
                return place[key]
        below = objective_of(self.summary, key)  # fid of fid/...
        return self.settings.get(key) if below is None else below

    def names(self) -> list[str]:
        """All that `get` knows."""
        return [*OWN, *self.figures, *self.choices, *self.settings]

    def facts(self, show: Sequence[str] = ()) -> dict[str, Any]:
        """For machines: plain values."""
        return {
            "folder": str(self.path),
            **{name: self.get(name) for name in ("name", "model", "dataset", "state")},
            "overrides": self.overrides,
            **{name: self.get(name) for name in ("step", "max_steps", "images_seen", "seconds", "when")},
            "objective": self.objective,
            "figures": self.figures,
            **{name: self.get(name) for name in show},
            "error": self.summary.get("error") or self.damage or None,
        }


OWN: dict[str, Callable[[Record], Any]] = {
    "folder": lambda run: run.name,
    "name": lambda run: run.path.name,
    "model": lambda run: run.choices.get("model"),
    "dataset": lambda run: run.choices.get("dataset"),
    "state": lambda run: run.state,
    "step": lambda run: run.summary.get("step"),
    "max_steps": lambda run: run.summary.get("max_steps"),
    "of": lambda run: run.summary.get("max_steps"),
    "images/s": lambda run: run.figures.get("system/images_per_second"),
    "objective": lambda run: objective_of(run.summary, run.objective),
    "seconds": lambda run: run.summary.get("seconds"),
    "when": lambda run: run.summary.get("updated"),
    "device": lambda run: run.summary.get("device"),
    "error": lambda run: run.summary.get("error") or run.damage or None,
}


def of_sweep(run: Path) -> dict[str, Any]:
    """How the sweep beside a run says that it ended; nothing where there is none."""
    jobs = read_json(run.parent / "sweep.json").get("jobs")
    found = (job for job in jobs if isinstance(job, dict) and job.get("folder") == run.name) if jobs else ()
    job = next(iter(found), {})
    return {key: job[key] for key in ("state", "error", "seconds") if key in job}


def before_it_began(path: Path) -> dict[str, Any]:
    """The choices and overrides in Hydra's own file."""
    try:
        told = (read_mapping(path.read_text(encoding="utf-8")) or {})["hydra"]
        choices = {str(key): value for key, value in told["runtime"]["choices"].items() if "hydra" not in str(key)}
        return {"choices": choices, "overrides": own_overrides(told["overrides"]["task"])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def find_runs(folder: Path) -> list[Path]:
    """The run folders at and below `folder`, in the order of their names. What lies in a run is not looked at."""
    return list(_find(str(folder)))


def _find(folder: str) -> Iterator[Path]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    if "config.yaml" in names or "summary.json" in names or (".hydra" in names and "multirun.yaml" not in names):
        yield Path(folder)
        return
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield from _find(entry.path)


def read_mapping(text: str) -> dict[str, Any] | None:
    """A YAML mapping; None for anything else."""
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if text else {}
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
