"""The files in a tar, also one that gzip or bzip2 has compressed, read like those of a zip."""

from __future__ import annotations

import bz2
import gzip
import re
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO, Any, cast

from gan_lab.data.sources.archive import DAMAGE, MAX_FILE_BYTES, MAX_RATIO, File, check_size, is_hidden
from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.root import data_root

CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, *DAMAGE)


class Tar:
    """The files in a tar, read into memory one at a time. A compressed one is inflated, once and not beyond what
    pictures can come to, into a file that has no name and goes with this object. Raises ConfigError for a tar that is
    broken or hostile."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        self._stream = self._opened()
        try:
            self._tar = tarfile.open(fileobj=self._stream, mode="r:")  # noqa: SIM115
            self._members = self._tar.getmembers()
            self._check_end()
        except _BROKEN as error:
            self._stream.close()
            raise self._broken(error) from error

    def files(self) -> list[File]:
        """Every file that is not hidden, by name. Raises ConfigError for members that are there twice, that are
        anything but files and folders, or whose names are more than a path down into the tar."""
        wrong = [f"{member.name}: {why}" for member in self._members if (why := _what_is_wrong(member))]
        if wrong:
            raise self._refused(f"has {len(wrong)} of {len(self._members)} members that are not to be trusted", wrong)
        found = []
        for member in self._members:
            parts = tuple(part for part in member.name.split("/") if part not in ("", "."))
            if member.isfile() and parts and not any(is_hidden(part) for part in parts):
                found.append(File(parts, member, (member.size, int(member.mtime))))
        twice = [name for name, count in Counter(file.name for file in found).items() if count > 1]
        if twice:
            raise self._refused(f"has {len(twice)} names more than once", twice)
        return sorted(found, key=lambda file: file.parts)

    def open(self, file: File) -> IO[bytes]:
        """A stream of the contents, seekable. Raises ImageError when they cannot be had."""
        check_size(file.handle.size)
        try:
            return cast(IO[bytes], self._tar.extractfile(file.handle))
        except _BROKEN as error:
            raise ImageError(f"damaged in the tar ({type(error).__name__})") from error

    def read(self, file: File) -> bytes:
        """The contents. Raises ImageError when they cannot be had."""
        with self.open(file) as stream:
            try:
                data = stream.read(file.handle.size)
            except _BROKEN as error:
                raise ImageError(f"damaged in the tar ({type(error).__name__})") from error
        if len(data) != file.handle.size:
            raise ImageError(f"damaged in the tar ({len(data)} bytes instead of {file.handle.size})")
        return data

    def close(self) -> None:
        self._tar.close()
        self._stream.close()

    def _check_end(self) -> None:
        """A tar ends in blocks of zeros: one that is cut off between two members looks whole otherwise."""
        last = max(self._members, key=lambda member: member.offset_data, default=None)
        size = last.size if last is not None and last.isreg() else 0
        self._stream.seek(0 if last is None else last.offset_data + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        if self._stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")

    def _opened(self) -> IO[bytes]:
        """The tar itself."""
        packed = self._compression()
        if packed is None:
            return open(self.path, "rb")
        root = data_root()
        root.mkdir(parents=True, exist_ok=True)
        inflated = cast("IO[bytes]", tempfile.TemporaryFile(dir=root))  # noqa: SIM115
        try:
            self._inflate(packed, inflated)
        except BaseException:
            inflated.close()
            raise
        return inflated

    def _compression(self) -> Any:
        with open(self.path, "rb") as file:
            start = file.read(3)
        return gzip.open if start[:2] == b"\x1f\x8b" else bz2.open if start == b"BZh" else None

    def _inflate(self, unpack: Any, inflated: IO[bytes]) -> None:
        most = max(MAX_FILE_BYTES, MAX_RATIO * self.path.stat().st_size)
        size = 0
        with unpack(self.path, "rb") as packed:
            while True:
                try:
                    data = packed.read(CHUNK)
                except _BROKEN as error:
                    raise self._broken(error) from error
                if not data:
                    break
                size += len(data)
                if size > most:
                    raise ConfigError(f"{self.key}: {self.path} inflates beyond what pictures could; it is not read")
                try:
                    inflated.write(data)
                except OSError as error:
                    raise GanLabError(
                        f"{self.key}: {self.path} cannot be inflated in {data_root()} ({error.strerror}); free some "
                        "space, set GAN_LAB_DATA elsewhere, or unpack it and give the folder"
                    ) from error
        inflated.seek(0)

    def _broken(self, error: BaseException) -> ConfigError:
        return ConfigError(f"{self.key}: {self.path} is not a whole tar ({error}); fetch or pack it again")

    def _refused(self, what: str, names: list[str]) -> ConfigError:
        return ConfigError(
            f"{self.key}: {self.path} {what} ({listed(names)}); pack the images again, or give them as a folder"
        )


def _what_is_wrong(member: tarfile.TarInfo) -> str | None:
    """Why a member is refused before anything of it is read."""
    if "\\" in member.name:
        return "a backslash in its name"
    if member.name.startswith("/"):
        return "an absolute path"
    if re.match(r"[A-Za-z]:", member.name):
        return "a drive letter"
    if ".." in member.name.split("/"):
        return "leads out of the tar"
    if member.issym() or member.islnk():
        return "a link"
    if member.issparse() or not (member.isfile() or member.isdir()):
        return "neither a file nor a folder"
    return None
