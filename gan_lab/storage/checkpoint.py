"""Checkpoints: one file a time, whole or absent, read without running anything.

A checkpoint is `torch.save` of a dictionary with the keys `KEYS`; `metrics` are the latest figures, `config` the
resolved configuration as plain data. Version 1, which is read too, held the state of the random generators as well; it
is left out, since what a round draws follows from the seed and the step. `checkpoints/step-<number>.pt` are rotated;
`checkpoints/last.pt` is another name (a hard link where the file system has them) of the newest, `checkpoints/best.pt`
of the one with the best objective.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gan_lab.config import with_current_targets
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.files import write_whole

VERSION = 2
READ = (1, VERSION)
KEYS = frozenset(
    "version step images_seen networks ema optimizers algorithm augmentation stream metrics config".split()
)


def step_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of `step` lies in the `checkpoints` folder."""
    return folder / f"step-{step:08d}.pt"


def save(folder: Path, state: dict[str, Any], keep: int) -> Path:
    """Write `state` as the checkpoint of its step, name it `last.pt` too, and drop all but the newest `keep`.

    Raises GanLabError when it cannot be written; every earlier checkpoint is then as it was.
    """
    path = step_path(folder, state["step"])
    write_whole(path, lambda file: torch.save(state, file))
    link(path, "last.pt")
    kept = sorted(folder.glob("step-*.pt"), reverse=True)
    for old in kept[max(keep, 1) :]:
        if old != path:
            old.unlink(missing_ok=True)
    return path


def link(path: Path, other: str) -> None:
    """Give the file another name in its folder, in the place of what had it."""
    temporary = path.with_name(f".{other}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        with open(path, "rb") as source:
            write_whole(path.with_name(other), lambda file: shutil.copyfileobj(source, file))
    else:
        os.replace(temporary, path.with_name(other))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU with `weights_only=True`: nothing in the file is executed.

    Raises GanLabError, in one line, for a file that is missing, cut short, of another kind, or hostile.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise GanLabError(f"{path}: no such checkpoint") from error
    except Exception as error:
        raise GanLabError(
            f"{path}: not a checkpoint that can be read ({_why(error)}); nothing in it was run"
        ) from error
    if not isinstance(state, dict) or not set(state) >= KEYS:
        raise GanLabError(f"{path}: not a gan-lab checkpoint (its keys are not {', '.join(sorted(KEYS))})")
    version = state["version"]
    if type(version) is not int or version not in READ:
        told = version if isinstance(version, (int, str)) else f"of type {type(version).__name__}"
        raise GanLabError(f"{path}: checkpoint version {told}; this gan-lab reads versions {READ[0]} to {VERSION}")
    state.pop("rng", None)
    return {**state, "config": with_current_targets(state["config"])}


def is_begun(state: Mapping[str, Any] | None) -> bool:
    """Whether a round has been played: a checkpoint without a stream has the weights of somebody's networks, and no
    more."""
    return state is not None and state["stream"] is not None


def _why(error: Exception) -> str:
    text = str(error)
    if "Unsupported" in text or "weights_only" in text.lower() or "WeightsUnpickler" in text:
        return "it holds more than weights and plain values"
    if "central directory" in text or "zip" in text.lower() or isinstance(error, EOFError):
        return "cut short or damaged"
    return text.splitlines()[0][:120] if text else type(error).__name__


def candidates(run: Path, which: str = "last") -> list[Path]:
    """The checkpoints `which` may mean for a run, best first: `last` is the newest, then the older ones behind it.

    `which` may be `last`, a step number, a file name in `checkpoints/`, or a path. Raises ConfigError for none.
    """
    folder = run / "checkpoints"
    if which == "last":
        found = sorted(folder.glob("step-*.pt"), reverse=True)
        last = folder / "last.pt"
        if last.exists() and not any(last.samefile(path) for path in found[:1]):
            found.insert(0, last)
        if not found:
            raise ConfigError(f"{run}: has no checkpoint yet (looked for {folder}/*.pt)")
        return found
    options = [Path(which), folder / which, folder / f"{which}.pt"]
    if which.isdigit():
        options.append(step_path(folder, int(which)))
    for path in options:
        if path.is_file():
            return [path]
    have = ", ".join(path.stem for path in sorted(folder.glob("*.pt"))) or "none"
    raise ConfigError(f"checkpoint={which}: no such checkpoint of {run} (it has: {have})")


def load_newest(run: Path, which: str = "last") -> tuple[Path, dict[str, Any], list[str]]:
    """Load the first readable candidate: `(path, state, complaints about those passed over)`."""
    complaints: list[str] = []
    for path in candidates(run, which):
        try:
            return path, load(path), complaints
        except GanLabError as error:
            complaints.append(str(error))
    raise GanLabError(complaints[0] + ("" if len(complaints) == 1 else f" (nor the {len(complaints) - 1} older ones)"))
