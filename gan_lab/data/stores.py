"""The stores under the data root: what they are called, finding one by what it is called, and taking it away."""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gan_lab.command_line.printable import printable
from gan_lab.data.card import CARD
from gan_lab.data.sources.listed import listed
from gan_lab.data.store import Store, StoreError
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.lock import is_shared
from gan_lab.storage.root import data_root

log = logging.getLogger(__name__)

_PATH = re.compile(r"(?:^|:)((?:/|[A-Za-z]:[\\/])[^:]*)")
_HUB = re.compile(r"huggingface:([\w.-]+/[\w.-]+):")


def all_stores() -> list[Path]:
    """The folder of each, damaged ones too."""
    return [card.parent for card in sorted(data_root().glob(f"[!.]*/{CARD}"))]


def with_checksum(sha256: str) -> Store | None:
    """The store of these very images, if it is here."""
    for folder in all_stores():
        with contextlib.suppress(StoreError):
            if (store := Store(folder)).sha256 == sha256:
                return store
    return None


def find_again(pack: Callable[[], Store], sha256: str) -> Store:
    """The store of this checksum: what `pack` makes, where it still is that, else one that is here already. Images that
    have changed since are taken as they are where there is none. Raises as `pack` does."""
    store, kind = None, GanLabError
    try:
        if (store := pack()).sha256 == sha256:
            return store
        why = f"the images of {store.card['source']} have changed"
    except GanLabError as error:
        why, kind = str(error), ConfigError if isinstance(error, ConfigError) else GanLabError
    if (found := with_checksum(sha256)) is not None:
        log.warning("dataset: %s; the store of the same images is taken, %s", why, found.folder)
        return found
    if store is None:
        raise kind(f"{why}; where these images lie now is dataset.path=NEW")
    log.warning("dataset: %s; they are taken as they are now", why)
    return store


def title(card: Mapping[str, Any]) -> str:
    """What a store is called in a list: its dataset, and the folder, file or hub name that its images came from."""
    came_from = origin(card)
    return str(card["name"]) + (f"/{came_from}" if came_from else "")


def origin(card: Mapping[str, Any]) -> str:
    """The last part of where images came from (of pairs, both); empty for what has no such place."""
    if (found := _HUB.match(str(card["origin"]))) is not None:
        return found[1]
    return "+".join(path.name for path in _paths(card))


def find(words: Sequence[str]) -> list[Path]:
    """The stores that are meant by the names of their folders, of what `title` and `origin` say, by the path that their
    images came from, or by a pattern of these (`folder-*`).

    Raises ConfigError, offering the nearest, for a word that means none, and for a name that several have.
    """
    named = {folder: _names(folder) for folder in all_stores()}
    found: dict[Path, None] = {}
    for word in words:
        folders = _match(word, named)
        if not folders:
            every = {name for names in named.values() for name in names}
            near = get_close_matches(word, sorted(every), n=1)
            told = f"nearest: {near[0]}" if near else "gan-lab data list shows them"
            raise ConfigError(f"stores: there is none called {printable(word)}; {told}")
        if len(folders) > 1 and not _is_pattern(word):
            raise ConfigError(
                f"stores: {len(folders)} are called {printable(word)}; name the folders of those that you mean "
                f"({listed([folder.name for folder in folders])})"
            )
        found |= dict.fromkeys(folders)
    return list(found)


def remove(folders: Sequence[Path]) -> list[int]:
    """Take these stores away; the bytes that each has freed. Raises GanLabError, and removes nothing, where one is in
    use by another process."""
    used = [folder.name for folder in folders if is_shared(folder / CARD)]
    if used:
        raise GanLabError(
            f"stores: {listed(used)} is in use by a training or another command; end that first; nothing was removed"
        )
    return [_remove(folder) for folder in folders]


def _remove(folder: Path) -> int:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    aside = folder.with_name(f".{folder.name}.removed.{os.getpid()}")  # so that it is whole or absent
    try:
        folder.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise GanLabError(f"{error.filename or folder}: cannot be removed ({error.strerror})") from error
    return size


def _names(folder: Path) -> list[str]:
    """What a store may be called."""
    try:
        card = Store(folder).card
    except StoreError:
        return [folder.name]
    names = [folder.name, title(card), origin(card), str(card["name"]), *map(str, _paths(card))]
    return [name for name in names if name]


def _match(word: str, named: Mapping[Path, Sequence[str]]) -> list[Path]:
    exact = [folder for folder in named if folder.name == word]
    if exact or not word.strip():
        return exact
    if _is_pattern(word):
        return [folder for folder, names in named.items() if any(fnmatch.fnmatchcase(name, word) for name in names)]
    path = os.path.abspath(os.path.expanduser(word))
    return [folder for folder, names in named.items() if word in names or path in (*names, str(folder))]


def _is_pattern(word: str) -> bool:
    return any(mark in word for mark in "*?[")


def _paths(card: Mapping[str, Any]) -> list[Path]:
    """Where the images came from, as far as an identity tells."""
    return [Path(re.sub(r" [0-9a-f]{16}$", "", path)) for path in _PATH.findall(str(card["origin"]))]
