"""Files beside the data that any process may need and one makes: trained extractors, statistics of real images."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

try:
    import fcntl
except ImportError:  # Windows: two processes may both make it, and one of the two equal files stays
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")


def made_once(path: Path, load: Callable[[Path], T], make: Callable[[], T], save: Callable[[Path, T], None]) -> T:
    """What `load` finds at `path`; where there is nothing, or nothing that can be read, `make` it and `save` it.

    Whoever comes second waits for the first. What is returned is always what was read back, so that every process
    computes with the same numbers. A folder that cannot be written to is no hindrance.
    """
    with contextlib.suppress(Exception):  # absent, damaged, or of another version
        return load(path)
    with _lock_file(path):
        with contextlib.suppress(Exception):
            return load(path)
        made = make()
        try:
            save(path, made)
        except Exception:
            return made
        return load(path)


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    """Hold a lock file beside `path`, where there can be one."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if fcntl is not None:
                file = held.enter_context(open(path.with_name(f".{path.name}.lock"), "a"))
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
