"""What reaches the terminal: what is said to the user, not tracebacks."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    Stream = logging.StreamHandler[TextIO]
else:
    Stream = logging.StreamHandler  # takes no type argument before Python 3.11


class Console(Stream):
    """Shows plain records; those with a traceback go to the log file only."""

    def filter(self, record: logging.LogRecord) -> bool:  # type: ignore[override]  # 3.12 may return the record
        return not record.exc_info and bool(super().filter(record))


def silence(stream: TextIO) -> None:
    """Point the stream's file at the null device, so that neither a later line nor the exit fails on it."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno())
    finally:
        os.close(null)


def say(verb: str, message: str) -> None:
    """One message on stderr under the command's name (`verb` may be empty), after what was printed so far."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    print(f"gan-lab {verb}".rstrip() + f": {message}", file=sys.stderr, flush=True)


def shown(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def already_holds(key: str, folder: Path, what: str) -> ConfigError:
    """The folder that `key` names is one to go on with, not one to begin in."""
    place = shown(folder)
    return ConfigError(
        f"{key}: {place} already holds {what}; go on with it by resume={place}, or choose another folder"
    )
