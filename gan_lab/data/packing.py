"""Packing a source into a store: streamed to a sibling folder, synced, renamed at the end; so it is whole or absent."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_lab import __version__
from gan_lab.data.progress import Progress
from gan_lab.data.sources.images import ImageError, fit
from gan_lab.data.sources.source import Source, has_one_channel
from gan_lab.data.store import CARD, FILES, LABELS, VERSION, Store, StoreError
from gan_lab.errors import ConfigError, GanLabError


def pack(source: Source, shape: Sequence[int], how: str, folder: Path, name: str, force: bool = False) -> Store:
    """Write every image of `source`, fitted to `shape` = `(C, H, W)` by `how`, as the store `folder`, and open it.

    The card's `channels` is what the images had before that: 1 if all were gray, else 3. A source with a shape of its
    own makes a float32 store of that shape.
    Two processes may pack the same store at once: the first to finish stays, unless `force`, where the last does.
    Whatever interrupts leaves nothing behind but what was there. Raises GanLabError for a full or unwritable disk
    and for images that cannot be read, ConfigError for a source without images.
    """
    needed = len(source) * math.prod(shape) * (1 if source.shape is None else 4)
    temporary = _temporary(folder)
    try:
        card = {"version": VERSION, "name": name, "shape": [int(side) for side in shape], "fit": how}
        card |= {"source": source.describe(), "origin": source.identity}
        card |= {"resampling": "lanczos"} if source.shape is None else {"dtype": "float32"}
        _write(source, shape, how, temporary, card)
        return _publish(temporary, folder, force)
    except OSError as error:
        raise _disk_error(error, folder, needed) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(source: Source, shape: Sequence[int], how: str, folder: Path, card: dict[str, Any]) -> None:
    """Fill `folder` with the files of a store. `card` comes with what is known before."""
    labels: list[int | None] = []
    gray = True
    digest = hashlib.sha256()
    progress = Progress(f"packing {card['name']}", len(source))
    try:
        with open(folder / FILES[card.get("dtype", "uint8")], "wb", buffering=1 << 20) as file:
            for name, image, label in source:
                try:
                    pixels = _as_stored(source, image, shape, how)
                except ImageError as error:
                    raise GanLabError(f"{name}: {error}; nothing was packed") from error
                file.write(pixels.data)
                digest.update(pixels.data)
                labels.append(label)
                gray = gray and has_one_channel(image)
                progress.update(len(labels))
            _sync(file)
    finally:
        progress.close()
    if not labels:
        raise ConfigError(f"dataset: {source.describe()} has no images")
    classes = None
    if None not in labels:
        values = np.array(labels, dtype="<i8")
        classes = [str(c) for c in source.classes or range(int(values.max()) + 1)]
        digest.update(values.tobytes())
        with open(folder / LABELS, "wb") as file:
            file.write(values.tobytes())
            _sync(file)
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    card |= {"count": len(labels), "classes": classes, "sha256": digest.hexdigest()}
    card |= {"channels": 1 if gray else 3} if source.shape is None else {}
    card |= {"gan_lab": __version__, "created": created}
    with open(folder / CARD, "wb") as file:
        file.write(json.dumps(card, indent=2, ensure_ascii=False).encode(errors="replace"))
        _sync(file)


def _as_stored(source: Source, image: Image.Image | NDArray[Any], shape: Sequence[int], how: str) -> NDArray[Any]:
    """One image as the bytes of the store will be."""
    if source.shape is None:
        return fit(image, shape, how)
    array = np.ascontiguousarray(image, "<f4")
    if array.shape != tuple(shape):
        raise ImageError(f"shape {list(array.shape)} instead of {list(shape)}")
    return array


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
    """A new sibling of `folder` that carries host and process; what dead processes of this host left is removed."""
    host = socket.gethostname()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for found in folder.parent.glob(f".*.{host}.*"):
            ours = re.fullmatch(rf"\..+-\w+-\w+\.{re.escape(host)}\.(\d+)\.\w+(\.old)?", found.name)
            if ours and not _is_alive(int(ours[1])):
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


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # signal 0 would be Ctrl-C there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


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


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


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
