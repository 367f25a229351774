"""The pictures that somebody gives: one file, a folder, or a zip or tar, and what each is called without its ending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from gan_lab.command_line.printable import printable
from gan_lab.data.sources import kinds
from gan_lab.data.sources.archive import File, check_size
from gan_lab.data.sources.folder import BESIDE_IMAGES
from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.opening import Archive, inside_of, open_archive
from gan_lab.data.sources.paths import not_there
from gan_lab.errors import ConfigError


class Item(NamedTuple):
    """A picture: its path below what was given, as messages have it, and the same without what its files are called
    by, which no other has."""

    name: str
    stem: PurePath
    file: File | Path


class Pictures:
    """Every picture at `path`, which the user gave as `key`, by name, without those below `besides`.

    Hidden files and what commonly lies beside pictures (tables, notes) are left out, and so are, in `left_out`, files
    whose names say that they are something else. Raises ConfigError where there is no picture, saying what there is.
    """

    def __init__(self, path: Any, key: str, besides: Path | None = None) -> None:
        self.path, inside = inside_of(path, key)
        self.left_out: list[str] = []
        self._archive: Archive | None = None
        self.single = self.path.is_file() and not inside and not kinds.is_read_archive(self.path)
        if self.single:
            if not kinds.may_be_picture(self.path) or kinds.suffix(self.path) in BESIDE_IMAGES:
                raise ConfigError(f"{key}: {self.path} is {_what(self.path)}")
            self.items = [Item(self.path.name, PurePath(self.path.stem), self.path)]
            return
        if not self.path.exists():
            raise not_there(self.path, str(path), key)
        self._archive = open_archive(self.path, key)
        files = [file for file in self._archive.files() if file.parts[: len(inside)] == inside]
        if besides is not None and self.path in besides.parents:
            files = [file for file in files if besides not in self.path.joinpath(*file.parts).parents]
        files = [file for file in files if kinds.suffix(PurePath(file.name)) not in BESIDE_IMAGES]
        pictures = [file for file in files if kinds.may_be_picture(PurePath(file.name))]
        self.left_out = [file.name for file in files if not kinds.may_be_picture(PurePath(file.name))]
        where = self.path.joinpath(*inside)
        if not pictures:
            videos = [name for name in self.left_out if kinds.suffix(PurePath(name)) in kinds.VIDEOS]
            told = f"; {printable(videos[0])} is {_what(where / videos[0])}" if videos else ""
            raise ConfigError(f"{key}: there are no pictures in {where}{told}")
        self.items = list(_items(pictures, len(inside)))

    @property
    def folder(self) -> Path:
        """Where they lie, if that is a folder."""
        return self.path if self.path.is_dir() else self.path.parent

    def read(self, item: Item) -> bytes:
        """The contents of its file. Raises ImageError where they cannot be had."""
        if isinstance(item.file, File):
            assert self._archive is not None
            return self._archive.read(item.file)
        try:
            check_size(item.file.stat().st_size)
            return item.file.read_bytes()
        except OSError as error:
            raise ImageError(f"unreadable ({error.strerror})") from error

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()


def _items(files: Sequence[File], above: int) -> Iterator[Item]:
    """Of `a.jpg` and `a.png` both keep their endings, as parts of their stems."""
    inner = [PurePath(*file.parts[above:]) for file in files]
    count = Counter(str(path.with_suffix("")).lower() for path in inner)
    for file, path in zip(files, inner, strict=True):
        alone = count[str(path.with_suffix("")).lower()] == 1
        yield Item(str(path), path.with_suffix("") if alone else path, file)


def _what(path: Path) -> str:
    """What a file is that is no picture, by its name."""
    if kinds.suffix(path) in kinds.VIDEOS:
        return f"a video; save its frames as pictures first: ffmpeg -i {path.name} FOLDER/%06d.png"
    return "no picture; give one, or a folder or zip of them"
