"""One process at a time in the folder of a search or an ablation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gan_lab.command_line.console import shown
from gan_lab.errors import GanLabError
from gan_lab.lock import lock


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold the folder. Raises GanLabError where another process does."""
    held = lock(folder)
    try:
        held.__enter__()
    except GanLabError as error:
        raise GanLabError(f"{shown(folder)}: another process is running this {what}") from error
    try:
        yield
    finally:
        held.__exit__(None, None, None)
