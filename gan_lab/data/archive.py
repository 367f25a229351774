"""Reading files out of a folder or a zip alike: list them, then read one at a time. Nothing is ever extracted."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_lab.data.images import ImageError
from gan_lab.errors import ConfigError

MAX_FILE_BYTES = 512 * 1024**2
_SYSTEM_FILES = {"__macosx", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class File:
    """One file: its path inside as parts, what it is read by, and what tells whether it changed."""

    parts: tuple[str, ...]
    handle: Any
    stamp: tuple[int, int]

    @property
    def name(self) -> str:
        return "/".join(self.parts)


def is_hidden(name: str) -> bool:
    """Files and folders that the system or an editor left behind."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


class Tree:
    """The files under a folder. Linked folders are followed, each real folder once."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key

    def files(self) -> list[File]:
        """Every file that is not hidden, by name. Raises ConfigError for a folder that cannot be listed."""
        try:
            return sorted(self._walk(self.path, (), set()), key=lambda file: file.parts)
        except OSError as error:
            raise ConfigError(f"{self.key}: {error.filename} cannot be listed ({error.strerror})") from error

    def _walk(self, folder: Path, parts: tuple[str, ...], seen: set[str]) -> Iterator[File]:
        real = os.path.realpath(folder)
        if real in seen:
            return
        seen.add(real)
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if entry.is_dir():
                    yield from self._walk(Path(entry.path), (*parts, entry.name), seen)
                else:
                    status = entry.stat(follow_symlinks=entry.is_file())
                    yield File((*parts, entry.name), entry.path, (status.st_size, status.st_mtime_ns))

    def read(self, file: File) -> bytes:
        """The contents. Raises ImageError when they cannot be had."""
        path = Path(file.handle)
        if path.exists() and not path.is_file():  # a pipe or a device would block
            raise ImageError("not an image")
        _check_size(file.stamp[0])
        try:
            return path.read_bytes()
        except OSError as error:
            raise ImageError(f"unreadable ({error.strerror})") from error

    def close(self) -> None:
        """Nothing is held open."""


class Zip:
    """The files in a zip, read into memory one at a time. Raises ConfigError for a zip that is broken or encrypted."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise ConfigError(f"{self.key}: {path} is not a whole zip ({error}); fetch or zip it again") from error

    def files(self) -> list[File]:
        """Every file that is not hidden, by name."""
        found = []
        locked = []
        for info in self._zip.infolist():
            parts = tuple(part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".", ".."))
            if info.is_dir() or not parts or any(is_hidden(part) for part in parts):
                continue
            if info.flag_bits & 0x1:
                locked.append("/".join(parts))
            found.append(File(parts, info, (info.file_size, info.CRC)))
        if locked:
            shown = ", ".join(locked[:5]) + (", ..." if len(locked) > 5 else "")
            raise ConfigError(
                f"{self.key}: {self.path} is encrypted ({len(locked)} of {len(found)} files: {shown}); "
                "unpack it with its password and give the folder"
            )
        return sorted(found, key=lambda file: file.parts)

    def read(self, file: File) -> bytes:
        """The contents, checked against the zip's CRC. Raises ImageError when they cannot be had."""
        _check_size(file.stamp[0])
        try:
            return self._zip.read(file.handle)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise ImageError(f"damaged in the zip ({type(error).__name__})") from error

    def close(self) -> None:
        self._zip.close()


def open_archive(path: Path, key: str) -> Tree | Zip:
    """The folder or zip at `path`, which the user gave as `key`. Raises ConfigError when it is neither."""
    if path.is_dir():
        return Tree(path, key)
    if not path.exists():
        raise ConfigError(f"{key}: {path} does not exist")
    if not path.is_file() or not (zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"):
        raise ConfigError(f"{key}: {path} is neither a folder nor a zip")
    return Zip(path, key)


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise ImageError(f"{size} bytes is no image")
