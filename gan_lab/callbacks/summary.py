"""`summary.json`: what this run is and how it stands, for people and for tables of runs."""

from __future__ import annotations

import datetime
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gan_lab.storage.files import read_json, write_json
from gan_lab.training.callback import Callback
from gan_lab.training.looks_with import cards_of
from gan_lab.training.run import Run

PACKAGES = ("torch", "torchvision", "hydra-core", "omegaconf", "numpy")


class Summary(Callback):
    """Written at the start, at every checkpoint and at the end; the final figures go to the loggers' hparams."""

    def __init__(self) -> None:
        self._began = 0.0
        self._about: dict[str, Any] = {}
        self._evaluated: dict[str, Any] = {}  # what `gan-lab evaluate` has found of this run before it went on

    def on_fit_start(self, run: Run) -> None:
        self._began = time.perf_counter()
        self._about = about(run)
        stored = {} if run.fresh else read_json(run.folder / "summary.json").get("metrics")
        self._evaluated = stored if isinstance(stored, dict) else {}
        self._write(run)

    def on_step_end(self, run: Run) -> None:
        if run.due(run.plan.checkpoint_every):
            self._write(run)

    def on_fit_end(self, run: Run) -> None:
        self._write(run)
        if run.outcome != "failed":
            run.loggers.hparams(run.step, run.config, run.results)

    def _write(self, run: Run) -> None:
        standing = {
            "state": run.outcome,
            **({"error": run.error} if run.error else {}),
            "step": run.step,
            "max_steps": run.plan.max_steps,
            "images_seen": run.images_seen,
            "figures": dict(run.figures),
            "metrics": {**self._evaluated, **{name: figure.record() for name, figure in run.measured.items()}},
            **({"best": run.best._asdict()} if run.best is not None else {}),
            **({"ended": run.stop_reason} if run.stop_reason else {}),
            "alarms": list(run.alarms),
            "seconds": round(time.perf_counter() - self._began, 3),
            "updated": now(),
        }
        path, document = run.folder / "summary.json", {**standing, **self._about}
        run.writer.submit(lambda: write_json(path, document))


def about(run: Run) -> dict[str, Any]:
    """What does not change while a run goes on: seed, data, device, versions, commit."""
    from gan_lab import __version__

    networks, looks_with = run.algorithm.networks, cards_of(run)
    return {
        "seed": run.config["seed"],
        "dataset": {"name": run.store.name, "sha256": run.store.sha256, "count": run.stream.count},
        "parameters": {role: sum(p.numel() for p in network.parameters()) for role, network in networks.items()},
        **({"looks_with": looks_with} if looks_with else {}),
        "device": str(run.engine.device),
        "precision": run.engine.precision,
        "versions": {"gan-lab": __version__, "python": platform.python_version(), **installed()},
        "git_commit": git_commit(Path(__file__).resolve().parent) or git_commit(Path.cwd()),
        "started": now(),
    }


def installed() -> dict[str, str]:
    """Versions of the packages that decide the numbers."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def git_commit(folder: Path) -> str | None:
    """The commit that `folder` stands at, with `-dirty` when tracked files differ; None outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def now() -> str:
    """The time in ISO 8601, to the second, with its zone."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
