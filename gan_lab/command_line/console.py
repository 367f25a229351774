"""What reaches the terminal: what is said to the user, not tracebacks."""

from __future__ import annotations

import io
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gan_lab import config
from gan_lab.command_line.printable import printable
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    Stream = logging.StreamHandler[TextIO]
else:
    Stream = logging.StreamHandler  # takes no type argument before Python 3.11


class Console(Stream):
    """Shows plain records; those with a traceback go to the log file only."""

    def filter(self, record: logging.LogRecord) -> bool:  # type: ignore[override]  # 3.12 may return the record
        return not record.exc_info and bool(super().filter(record))

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), kept="\n\t")


def escape_unprintable() -> None:
    """Let the standard streams write what their encoding has no character for as an escape (`\\u2026`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
    said = printable(message, kept="\n\t")
    print(f"gan-lab {verb}".rstrip() + f": {said}", file=sys.stderr, flush=True)


def shown(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def command(verb: str, *words: str) -> str:
    """A command that can be pasted into a shell as it is printed, with the user's own folders of configs."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    running = GlobalHydra.instance().is_initialized() and HydraConfig.initialized()
    flags = config_flags(HydraConfig.get()) if running else []
    return shlex.join(["gan-lab", verb, *words, *flags])


def dashboard(folder: Path) -> str:
    """The command that shows what a folder logs."""
    return shlex.join(["tensorboard", "--logdir", shown(folder)])


def config_flags(hydra: Any) -> list[str]:
    """The user's own folders of configs (`hydra` is Hydra's node) as flags."""
    names = {"command-line": "--config-dir", "main": "--config-path"}
    sources = [(names.get(source.provider), source.path) for source in hydra.runtime.config_sources]
    return [f"{name}={path}" for name, path in sources if name and path != str(config.CONFIG_DIR)]


def already_holds(key: str, folder: Path, what: str) -> ConfigError:
    """The folder that `key` names is one to go on with, not one to begin in."""
    place, resume = shown(folder), shlex.quote(f"resume={shown(folder)}")
    return ConfigError(f"{key}: {place} already holds {what}; go on with it by {resume}, or choose another folder")


def require_folder(key: str, folder: Path) -> Path:
    """The same. Raises ConfigError where a file lies in its place, or in that of a folder above it."""
    for each in (folder, *folder.parents):
        if each.exists():
            if not each.is_dir():
                raise ConfigError(f"{key}: {shown(each)} is a file; name a folder")
            break
    return folder
