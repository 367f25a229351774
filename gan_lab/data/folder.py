"""A folder or a zip of images as a source: which part of it is meant, and what its labels are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from gan_lab.data.archive import File, open_archive
from gan_lab.data.images import ImageError, decode
from gan_lab.data.sources import Sample, Source
from gan_lab.errors import ConfigError, GanLabError

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
BESIDE_IMAGES = frozenset(
    ".txt .csv .tsv .json .jsonl .md .rst .html .xml .yaml .yml .pdf .mat .npy .npz .db .log".split()
)
_SPLIT_OF = {alias: split for split, aliases in SPLITS.items() for alias in aliases}


class Folder(Source):
    """Images in a folder or zip, of any size and kind.

    A single common top folder is looked through. Where the top folders are splits (train, val, test and their usual
    spellings), only `split` is read. Class folders are labels if every image then lies in one and there are several;
    class order is by name, or by number if all names are whole numbers. Hidden files and what commonly lies beside
    images (BESIDE_IMAGES: captions, tables, notes) are left out; anything else must be an image. Raises ConfigError for
    a path that is missing, broken, encrypted or without images, and GanLabError, after the last image, if some could
    not be read.
    """

    def __init__(self, path: str | Path, split: str = "train", key: str = "dataset.path") -> None:
        self.key = key  # what the user gave the path as, for the messages
        self.path = Path(os.path.abspath(Path(path).expanduser()))
        self.split = split

    @cached_property
    def _listing(self) -> tuple[list[File], tuple[str, ...], str | None]:
        """The files that are meant, the folders above them, and the split among those."""
        archive = open_archive(self.path, self.key)
        try:
            files = [file for file in archive.files() if Path(file.parts[-1]).suffix.lower() not in BESIDE_IMAGES]
        finally:
            archive.close()
        chosen, top, split = _choose(files, self.split, self.path)
        if not chosen:
            raise ConfigError(f"{self.key}: no images in {self.path}")
        return chosen, top, split

    @cached_property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        files, top, _ = self._listing
        depth = len(top)
        if any(len(file.parts) <= depth + 1 for file in files):
            return None
        names = {file.parts[depth] for file in files}
        return sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)

    @property
    def identity(self) -> str:
        """The absolute path, the split, and a digest of every name, size and time (of a zip: its own)."""
        if self.path.is_file():
            status = self.path.stat()
            stamps = f"{status.st_size} {status.st_mtime_ns}"
        else:
            stamps = "\n".join(f"{file.name}\0{file.stamp}" for file in self._listing[0])
        digest = hashlib.sha256(stamps.encode(errors="surrogateescape")).hexdigest()[:16]
        return f"folder:{self.path}:{self.split}:{digest}"

    def __len__(self) -> int:
        return len(self._listing[0])

    def __iter__(self) -> Iterator[Sample]:
        files, top, _ = self._listing
        labels = {name: index for index, name in enumerate(self.classes or [])}
        problems: list[tuple[str, ImageError]] = []
        archive = open_archive(self.path, self.key)
        try:
            for file in files:
                try:
                    image = decode(archive.read(file))
                except ImageError as error:
                    problems.append((file.name, error))
                    continue
                yield file.name, image, labels[file.parts[len(top)]] if labels else None
        finally:
            archive.close()
        if problems:
            raise GanLabError(_complaint(f"{self.key}={self.path}", problems, len(files)))

    def describe(self) -> str:
        _, top, split = self._listing
        kind = "zip" if self.path.is_file() else "folder"
        return f"{kind} {self.path}" + (f", {'/'.join(top)}/ as its {split} split" if split else "")


def _choose(files: list[File], split: str, path: Path) -> tuple[list[File], tuple[str, ...], str | None]:
    """Descend through single common folders and into the split; returns the files, the way down, the split."""
    top: tuple[str, ...] = ()
    found: str | None = None
    while files:
        depth = len(top)
        names = {file.parts[depth] for file in files if len(file.parts) > depth + 1}
        loose = any(len(file.parts) == depth + 1 for file in files)
        splits = {_SPLIT_OF[name.lower()]: name for name in sorted(names) if name.lower() in _SPLIT_OF}
        if found is None and splits and (len(splits) > 1 or (len(names) == 1 and not loose)):
            wanted = _SPLIT_OF.get(split.lower(), split)
            if wanted not in splits:
                raise ConfigError(f"dataset.split={split}: {path} has only {', '.join(splits.values())}")
            found, step = wanted, splits[wanted]
        elif len(names) == 1 and not loose:
            step = next(iter(names))
        else:
            break
        files = [file for file in files if len(file.parts) > depth + 1 and file.parts[depth] == step]
        top = (*top, step)
    return files, top, found


def _complaint(where: str, problems: list[tuple[str, ImageError]], total: int) -> str:
    shown = ", ".join(f"{name}: {reason}" for name, reason in problems[:5]) + (", ..." if len(problems) > 5 else "")
    return (
        f"{where}: {len(problems)} of {total} files cannot be read as images ({shown}); "
        "remove or repair them; nothing was packed"
    )
