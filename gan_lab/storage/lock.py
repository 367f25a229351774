"""One process at a time in the folder of a run, a sweep or a search."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from gan_lab.errors import GanLabError

try:
    import fcntl
except ImportError:  # Windows: no lock, as before
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def lock_folder(folder: Path, activity: str = "training this run") -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, however it ends.

    Raises GanLabError when another process holds it; `activity` says what that one is doing. A file system without
    locks is not locked.
    """
    if fcntl is None:
        yield
        return
    with open(folder / ".lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise GanLabError(f"{folder}: another process is {activity}") from error
        yield
