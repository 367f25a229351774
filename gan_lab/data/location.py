"""Where the images of a dataset are, and where its store lies."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import MODES
from gan_lab.data.sources.opening import inside_of
from gan_lab.data.sources.paths import absolute, not_there
from gan_lab.data.sources.source import Source
from gan_lab.data.store import Store, StoreError
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.root import data_root


class UserImages(NamedTuple):
    """Images that the user has: the source that reads them, where they are, and the key that was said under."""

    source: Source
    path: str
    key: str


def read_user_images(
    reader: Callable[..., Source] | None,
    given: str | Path | None,
    split: str,
    key: str,
    options: Mapping[str, Any],
) -> UserImages:
    """What reads the images at the path `given` under `key`. Raises ConfigError where there is nothing, and where the
    reader does not take the options."""
    path = None if given is None else str(absolute(given, key))
    if path is not None and not inside_of(path, key)[0].exists():
        raise not_there(Path(path), str(given), key)
    try:
        return UserImages((reader or Folder)(path, split=split, key=key, **options), str(path), key)  # type: ignore[arg-type]
    except TypeError as error:
        raise ConfigError(f"dataset.reader: {error}") from error


def folder_of(name: str, shape: Sequence[int], fit: str, source: Source, more: Sequence[str]) -> Path:
    """The folder of the store of a source's images in this shape; `more` is what else decides what is stored."""
    decides = "\n".join([name, str(tuple(shape)), fit, source.identity, *more])
    digest = hashlib.sha256(decides.encode(errors="surrogateescape")).hexdigest()[:8]
    channels, height, width = shape
    return data_root() / f"{name}-{width}x{height}x{channels}-{digest}"


def noted_channels(folders: Iterable[Path]) -> int | None:
    """What the card of a store that was packed from the same images notes about them."""
    for folder in folders:
        with contextlib.suppress(StoreError):
            noted = Store(folder).card.get("channels")
            if noted in MODES:
                return int(noted)
    return None


def unavailable(error: GanLabError, name: str, folder: Path, settings: Mapping[str, Any]) -> GanLabError:
    """That the images could not be downloaded, with the two ways out; `settings` decide which store it is, and a model
    may have prescribed some of them, so that the command has them all."""
    typed = [f"dataset.{key}={str(value).replace(' ', '')}" for key, value in settings.items()]
    command = shlex.join(["gan-lab", "data", "pack", f"dataset={name}", *typed])
    return GanLabError(
        f"{name} could not be downloaded ({error}): either `{command} from=FOLDER_OR_ZIP` here, or "
        f"pack it on a machine with a network and copy the store to {folder} (or set GAN_LAB_DATA)"
    )
