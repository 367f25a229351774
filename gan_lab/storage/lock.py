"""One process at a time in the folder of a run, a sweep or a search; any number of readers of a file."""

from __future__ import annotations

import contextlib
import errno
import os
import weakref
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


def share(file: Path, holder: object) -> None:
    """Tell other processes, as long as `holder` lives, that `file` is in use. A file system without locks tells
    nothing."""
    if fcntl is None:
        return
    handle = os.open(file, os.O_RDONLY)
    weakref.finalize(holder, os.close, handle)
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_shared(file: Path) -> bool:
    """Whether some holder in any process has said so."""
    if fcntl is None:
        return False
    handle = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(handle)
    return False


def is_held(run: Path) -> bool:
    """Whether a process has the run's lock."""
    if fcntl is None:
        return False
    try:
        with open(run / ".lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
