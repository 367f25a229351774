"""What lies at a path: a folder, a zip or a tar, opened alike."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from gan_lab.data.sources import kinds
from gan_lab.data.sources.archive import Tree, Zip
from gan_lab.data.sources.paths import absolute, not_there
from gan_lab.data.sources.tar import Tar
from gan_lab.errors import ConfigError

Archive = Tree | Zip | Tar


def inside_of(path: Any, key: str = "dataset.path") -> tuple[Path, tuple[str, ...]]:
    """The folder, zip or tar that a path means, absolute, and the way down into it: of `x.zip/a/b` the zip, and a, b.
    Raises ConfigError for what is no path."""
    whole = absolute(path, key)
    if whole.exists():
        return whole, ()
    archive = next((above for above in whole.parents if above.is_file() and _is_packed(above)), None)
    return (whole, ()) if archive is None else (archive, whole.relative_to(archive).parts)


def is_there(path: Any, key: str = "dataset.path") -> bool:
    """Whether there is a file or folder at a path, or an archive that it leads into. Raises as `inside_of`."""
    return inside_of(path, key)[0].exists()


def open_archive(path: Path, key: str) -> Archive:
    """The folder, zip or tar at `path`, which the user gave as `key`. Raises ConfigError when it is none, saying what
    reads it."""
    if path.is_dir():
        return Tree(path, key)
    if not path.exists():
        raise not_there(path, str(path), key)
    if path.is_file():
        if kinds.suffix(path) == ".zip" or (zipfile.is_zipfile(path) and _may_be_packed(path)):
            return Zip(path, key)
        if kinds.is_read_archive(path):
            return Tar(path, key)
    told = kinds.told(path)
    raise ConfigError(f"{key}: {path} is neither a folder nor a zip or tar" + (f" but {told}" if told else ""))


def kind_of(path: Path) -> str:
    """folder, zip or tar."""
    return "folder" if path.is_dir() else "zip" if zipfile.is_zipfile(path) else "tar"


def stem_of(path: Path) -> Path:
    """What an archive was made from, by its name; a folder itself."""
    if not path.is_file():
        return path
    ending = next((end for end in kinds.READ_ARCHIVES if path.name.lower().endswith(end)), path.suffix)
    return path.with_name(path.name[: len(path.name) - len(ending)] or path.name)


def _may_be_packed(path: Path) -> bool:
    """Whether its name is not that of another kind, some of which (npz) are zips."""
    return kinds.is_read_archive(path) or kinds.told(path) is None


def _is_packed(path: Path) -> bool:
    return kinds.is_read_archive(path) or (zipfile.is_zipfile(path) and _may_be_packed(path))
