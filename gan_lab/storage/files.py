"""Files that are whole or absent: written beside their place, flushed to disk, then renamed over it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from gan_lab.errors import GanLabError

LIMIT = 10_000_000  # bytes of a note or summary


def write_whole(path: Path, write: Callable[[BinaryIO], Any], durable: bool = True) -> None:
    """Let `write` fill a temporary file and rename it to `path`; on any failure `path` keeps what it held. Where it is
    not to be `durable` the disk is not waited for: a machine that loses its power may lose the file.

    Raises GanLabError naming the path, what went wrong and the room left, when the disk or the folder refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if durable:
            _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
        raise GanLabError(
            f"cannot write {path}: {_reason(error)}{_room(path.parent)}; what was there is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what `write_whole` left in `folder` when its process was killed. What other processes of this machine are
    writing stays."""
    for path in folder.glob(".*.tmp"):
        process = path.name.split(".")[-2]
        if process.isdigit() and int(process) != os.getpid() and is_alive(int(process)):
            continue
        with contextlib.suppress(OSError):
            path.unlink()


def is_alive(process: int) -> bool:
    """Whether there is a process of that number on this machine."""
    if os.name == "nt":  # signal 0 would be Ctrl-C there
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """`write_whole` for text."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, value: Any) -> None:
    """`write_whole` for a json document."""
    write_text(path, to_json(value, indent=2) + "\n")


def to_json(value: Any, indent: int | None = None) -> str:
    """A json document, in which a number that is none (nan, an infinity) is null: json knows no other way to say it."""
    return json.dumps(finite(value), indent=indent, allow_nan=False)


def finite(value: Any) -> Any:
    """Plain data with None in the place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    return [finite(each) for each in value] if isinstance(value, (list, tuple)) else value


def read_json(path: Path) -> dict[str, Any]:
    """A small json document that anybody may have written; empty where there is none that can be read."""
    try:
        if path.stat().st_size > LIMIT:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; not every system lets a folder be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: Exception) -> str:
    found: BaseException | None = error
    while found is not None:  # torch.save tells of its own confusion; what the system had said lies behind that
        if isinstance(found, OSError) and found.strerror:
            return found.strerror.lower()
        found = found.__cause__ or found.__context__
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _room(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return f" ({shutil.disk_usage(folder).free / 1e6:.1f} MB free on that disk)"
    return ""
