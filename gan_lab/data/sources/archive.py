"""Copy files out of a folder or a zip alike: list them, then read one at a time. Nothing is ever extracted.

Neither is trusted. A link may not lead out of the folder, a zip's members must have plain relative names, once each,
and no file is read that is larger than an image can be or that inflates like a bomb.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

MAX_FILE_BYTES = 512 * 1024**2
MAX_RATIO = 100
RATIO_FROM_BYTES = 8 * 1024**2
_SYSTEM_FILES = {
    *("__macosx", "network trash folder", "temporary items", "icon\r"),  # macOS
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information"),  # Windows
    *("@eadir", "@tmp", "@sharebin", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),  # network storage
    *("lost+found", "__pycache__"),
}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)


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
    return name.startswith((".", "~$", "@eaDir")) or name.lower() in _SYSTEM_FILES


class Tree:
    """The files under a folder, which may itself be a link. Links inside are followed where they stay inside."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key

    def files(self) -> list[File]:
        """Every file that is not hidden, by name; of a folder that several links name, once.

        Raises ConfigError for a folder that cannot be listed and for links that lead out of it.
        """
        try:
            found, outside = self._walk()
        except OSError as error:
            raise ConfigError(f"{self.key}: {error.filename} cannot be listed ({error.strerror})") from error
        if outside:
            raise ConfigError(
                f"{self.key}: {len(outside)} links in {self.path} lead out of it ({listed(sorted(outside))}); "
                "put what they point at into the folder, or copy it with that (cp -rL FOLDER COPY) and give the copy"
            )
        return sorted(found, key=lambda file: file.parts)

    def _walk(self) -> tuple[list[File], list[str]]:
        """The files, and the links that leave. Links wait until all real folders are through, so these name a file."""
        root = os.path.realpath(self.path)
        found: list[File] = []
        outside: list[str] = []
        seen: set[str] = set()
        folders: list[tuple[str, tuple[str, ...]]] = [(str(self.path), ())]
        linked: list[tuple[str, tuple[str, ...]]] = []
        while folders or linked:
            folder, parts = folders.pop() if folders else linked.pop(0)
            real = os.path.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    here = (*parts, entry.name)
                    if is_hidden(entry.name):
                        continue
                    is_link = entry.is_symlink()
                    if is_link and not _is_inside(os.path.realpath(entry.path), root):
                        outside.append("/".join(here))
                    elif entry.is_dir():
                        (linked if is_link else folders).append((entry.path, here))
                    else:
                        status = entry.stat(follow_symlinks=entry.is_file())
                        found.append(File(here, entry.path, (status.st_size, status.st_mtime_ns)))
        return found, outside

    def open(self, file: File) -> IO[bytes]:
        """A stream of the contents, seekable. Raises ImageError when they cannot be had."""
        path = Path(file.handle)
        if path.exists() and not path.is_file():  # a pipe or a device would block
            raise ImageError("not a file")
        check_size(file.stamp[0])
        try:
            return path.open("rb")
        except OSError as error:
            raise ImageError(f"unreadable ({error.strerror})") from error

    def read(self, file: File) -> bytes:
        """The contents. Raises ImageError when they cannot be had."""
        with self.open(file) as stream:
            try:
                return stream.read(file.stamp[0])
            except OSError as error:
                raise ImageError(f"unreadable ({error.strerror})") from error

    def close(self) -> None:
        """Nothing is held open."""


class Zip:
    """The files in a zip, read into memory one at a time. Raises ConfigError for a zip that is broken or hostile."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise ConfigError(f"{self.key}: {path} is not a whole zip ({error}); fetch or zip it again") from error

    def files(self) -> list[File]:
        """Every file that is not hidden, by name.

        Raises ConfigError for members that are encrypted, there twice, links, on top of each other, compressed other
        than by deflate, or whose names are more than a path down into the zip.
        """
        members = self._zip.infolist()
        wrong = [f"{info.orig_filename}: {why}" for info in members if (why := _what_is_wrong(info))]
        if wrong:
            raise self._refused(f"has {len(wrong)} of {len(members)} members that are not to be trusted", wrong)
        if sum(info.compress_size for info in members) > self.path.stat().st_size:  # overlapping, or a lie
            raise self._refused("states more bytes than it has", [info.orig_filename for info in members])
        found = []
        for info in members:
            parts = tuple(part for part in info.filename.split("/") if part not in ("", "."))
            if not info.is_dir() and parts and not any(is_hidden(part) for part in parts):
                found.append(File(parts, info, (info.file_size, info.CRC)))
        twice = [name for name, count in Counter(file.name for file in found).items() if count > 1]
        if twice:
            raise self._refused(f"has {len(twice)} names more than once", twice)
        self._check_methods(found)
        return sorted(found, key=lambda file: file.parts)

    def _check_methods(self, found: list[File]) -> None:
        locked = [file.name for file in found if file.handle.flag_bits & 0x1]
        if locked:
            raise ConfigError(
                f"{self.key}: {self.path} is encrypted ({len(locked)} of {len(found)} files: {listed(locked)}); "
                "unpack it with its password and give the folder"
            )
        others = [file.name for file in found if file.handle.compress_type not in _METHODS]
        if others:  # Python inflates bzip2 and LZMA without a limit
            raise self._refused(f"has {len(others)} of {len(found)} files compressed other than by deflate", others)

    def _refused(self, what: str, names: list[str]) -> ConfigError:
        return ConfigError(
            f"{self.key}: {self.path} {what} ({listed(names)}); zip the images again, or give them as a folder"
        )

    def open(self, file: File) -> IO[bytes]:
        """A stream of the contents, seekable. Raises ImageError when they cannot be had."""
        self._check(file)
        try:
            return self._zip.open(file.handle)
        except DAMAGE as error:
            raise ImageError(f"damaged in the zip ({type(error).__name__})") from error

    def read(self, file: File) -> bytes:
        """The contents, never more than the zip states, checked against its CRC. Raises ImageError otherwise."""
        self._check(file)
        try:
            with self._zip.open(file.handle) as stream:
                data = stream.read(file.handle.file_size)
        except DAMAGE as error:
            raise ImageError(f"damaged in the zip ({type(error).__name__})") from error
        if len(data) != file.handle.file_size:
            raise ImageError(f"damaged in the zip ({len(data)} bytes instead of {file.handle.file_size})")
        return data

    def _check(self, file: File) -> None:
        size, packed = file.handle.file_size, file.handle.compress_size
        check_size(size)
        if size > RATIO_FROM_BYTES and size > MAX_RATIO * packed:
            raise ImageError(f"{packed} bytes that inflate to {size} are no image")

    def close(self) -> None:
        self._zip.close()


def _what_is_wrong(info: zipfile.ZipInfo) -> str | None:
    """Why a member is refused before anything of it is read."""
    name = info.orig_filename
    if "\0" in name:
        return "a zero byte in its name"
    if "\\" in name:
        return "a backslash in its name"
    if name.startswith("/"):
        return "an absolute path"
    if re.match(r"[A-Za-z]:", name):
        return "a drive letter"
    if ".." in name.split("/"):
        return "leads out of the zip"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    return None


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(os.path.join(root, ""))


def check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise ImageError(f"{size} bytes is no image")
