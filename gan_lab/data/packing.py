"""Packing a source into a store: streamed to a sibling folder, synced, renamed at the end; so it is whole or absent."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gan_lab.data.filling import Form, fill
from gan_lab.data.patches import Patch
from gan_lab.data.sources.source import Source
from gan_lab.data.store import Store, StoreError
from gan_lab.data.tokens import Words
from gan_lab.errors import GanLabError
from gan_lab.storage.files import is_alive


def pack(
    source: Source,
    shape: Sequence[int],
    how: str,
    folder: Path,
    name: str,
    force: bool = False,
    input_shape: Sequence[int] | None = None,
    tokenizer: Words | None = None,
    patch: Patch | None = None,
) -> Store:
    """Write every image of `source`, fitted to `shape` = `(C, H, W)` by `how`, as the store `folder`, and open it.

    Inputs, where the source has any, are fitted to `input_shape` (None: to the images'), captions become tokens of the
    words that `tokenizer` learns from them. With `patch` pictures are not fitted but cut into squares of that size,
    samples of their own; the card counts them by the name of their picture. The card's `channels` is what the images
    had before: 1 if all were gray, else 3. A source with a shape of its own makes a float32 store of that shape.
    Two processes may pack the same store at once: the first to finish stays, unless `force`, where the last does.
    Whatever interrupts leaves nothing behind but what was there. Raises GanLabError for a full or unwritable disk
    and for images that cannot be read, ConfigError for a source without images.
    """
    needed = len(source) * math.prod(shape) * (1 if source.shape is None else 4)
    temporary = _temporary(folder)
    form = Form(tuple(shape), how, tuple(input_shape or shape), tokenizer or Words(), patch)
    try:
        fill(temporary, source, form, name)
        return _publish(temporary, folder, force)
    except OSError as error:
        raise _disk_error(error, folder, needed) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _publish(temporary: Path, folder: Path, force: bool) -> Store:
    """Rename `temporary` to `folder` and open it. A healthy store that is there already stays, unless `force`."""
    _sync_folder(temporary)
    aside = temporary.with_name(temporary.name + ".old")
    with _renaming_alone(folder.parent):
        if folder.exists() and not force and _is_whole(folder):
            return Store(folder)
        try:
            if folder.exists():
                os.rename(folder, aside)
            os.rename(temporary, folder)
            _sync_folder(folder.parent)
            return Store(folder)
        finally:
            if aside.exists() and not folder.exists():  # interrupted in between: put back what was there
                os.rename(aside, folder)
            _remove(aside)


@contextlib.contextmanager
def _renaming_alone(folder: Path) -> Iterator[None]:
    """One process at a time renames in `folder`; where the system cannot lock a folder, the renames just follow."""
    if os.name == "nt":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _temporary(folder: Path) -> Path:
    """A new sibling of `folder` that carries host and process; what dead processes of this host left is removed,
    but for a store that one had set aside and did not replace: that is put back."""
    host = socket.gethostname()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for found in folder.parent.glob(f".*.{host}.*"):
            ours = re.fullmatch(rf"\.(.+-\w+-\w+)\.{re.escape(host)}\.(\d+)\.\w+(\.old)?", found.name)
            if ours and not is_alive(int(ours[2])):
                with _renaming_alone(folder.parent):
                    if ours[3] and not (place := folder.with_name(ours[1])).exists():  # killed between its two renames
                        os.rename(found, place)
                    else:
                        _remove(found)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.{host}.{os.getpid()}.", dir=folder.parent))
        temporary.chmod(0o777 & ~_umask())
        return temporary
    except OSError as error:
        raise _disk_error(error, folder, 0) from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _is_whole(folder: Path) -> bool:
    try:
        Store(folder)
    except StoreError:
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_error(error: OSError, folder: Path, needed: int) -> GanLabError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        free = shutil.disk_usage(folder.parent).free
        return GanLabError(
            f"{folder}: no space left ({needed} bytes needed, {free} free); free some, or set GAN_LAB_DATA elsewhere"
        )
    where = error.filename or folder
    return GanLabError(f"{where}: {error.strerror or error}; set GAN_LAB_DATA to a folder that can be written")
