"""A run that several processes of this machine, and perhaps of others, play together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gan_lab.distributed.group import joined
from gan_lab.distributed.processes import Processes
from gan_lab.distributed.verdict import log_of
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.files import read_json, write_json
from gan_lab.storage.folders import discard
from gan_lab.storage.lock import is_held
from gan_lab.training.ended import Ended
from gan_lab.training.launch import launch
from gan_lab.training.rank import log_like, log_to, logging_of_hydra, silence_output
from gan_lab.training.start import Asked

log = logging.getLogger(__name__)


NEWEST, SUMMARY = Path("checkpoints") / "last.pt", "summary.json"

Play = Callable[[Asked, Path, bool, Callable[[str], None]], Ended]


class Part(NamedTuple):
    """What every process of a run is given. `newest` is the checkpoint that was the last one before."""

    play: Play
    asked: Asked
    folder: Path
    interactive: bool
    logging: dict[str, Any] | None
    newest: tuple[int, int]
    processes: Processes


def play_together(play: Play, asked: Asked, folder: Path, interactive: bool, processes: Processes) -> Ended:
    """Call `play` in processes that are started for it. This one waits for them."""
    part = Part(play, asked, folder, interactive, logging_of_hydra(), stamp(folder / NEWEST), processes)
    begun, before = (folder / "config.yaml").exists(), stamp(folder / SUMMARY)
    try:
        (objective, where, signal), interruption = launch(play_part, (part,), processes, say_saving)
    except GanLabError as error:
        if isinstance(error, ConfigError) and not begun and not (folder / "config.yaml").exists():
            discard(folder)
        if stamp(folder / SUMMARY) != before and not is_held(folder):
            note_failure(folder / SUMMARY, str(error))
        raise
    if where.absolute() != folder.absolute():
        discard(folder, "train.log")
    if signal is not None:
        interruption.hear(signal)
    return Ended(objective, where, None if signal is None else interruption)


def play_part(part: Part) -> tuple[float, Path, int | None]:
    """In one of the processes: train. What has begun before is gone on with."""
    rank, again = int(os.environ["RANK"]), os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    logging.raiseExceptions = False
    if rank:
        file = part.folder / log_of(rank)
        log_to(file)
        silence_output(file)
    else:
        log_like(part.logging)
    asked = part.asked.again(part.folder, stamp(part.folder / NEWEST) != part.newest) if again else part.asked
    device = str(asked.typed["engine"]["device"])
    with joined(device, part.processes.timeout):
        ended = part.play(asked, part.folder, part.interactive, ignore)
    return ended.objective, ended.folder, None if ended.stopped is None else ended.stopped.signal


def say_saving(name: str) -> None:
    log.info("%s: finishing this step, then saving (once more to stop at once)", name)


def ignore(name: str) -> None:
    """Whoever started this process has said it."""


def stamp(file: Path) -> tuple[int, int]:
    """What tells a file from the one that was there before."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def note_failure(path: Path, line: str) -> None:
    """Let the summary of the run say why it has failed, where the process that writes it could not."""
    if (summary := read_json(path)).get("state") in ("running", "failed"):
        write_json(path, {**summary, "state": "failed", "error": line})
