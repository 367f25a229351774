"""A dataset as the configuration names it: a source, the shape its images are packed to, and the store that results."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from os.path import abspath
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gan_lab.data.packing import pack
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import FITS, MODES
from gan_lab.data.sources.source import DownloadError, Source
from gan_lab.data.store import Store, StoreError
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.root import data_root

AUTO: Literal["auto"] = "auto"
Shape = tuple[int | Literal["auto"], int, int]


class UserImages(NamedTuple):
    """Images that the user has: the source that reads them, where they are, and the key that was said under."""

    source: Source
    path: str
    key: str


class Dataset:
    """Images of one `image_shape` = `(C, H, W)`, packed once under the data root. Making one touches nothing.

    With a `source` it is ready-made: `path` (a folder or zip) then replaces where the images are read from, and the
    store is the same one. Without a source the images are those at `path`, and changed images make another store. It is
    read by `reader(path, split=, key=)`, by default `Folder`, which gets `labels` and `max_corrupt` too where they are
    set. C may be `auto`: `channels`, and if that is `auto` too, what the images have (1 if all are gray, else
    3); the store's shape is always of numbers. `num_classes`, when given, is checked against the labels. `flip` and
    `picture` are for who draws and shows the images and change nothing in the store. Raises ConfigError naming the key
    that is wrong.
    """

    def __init__(
        self,
        name: str,
        image_shape: Sequence[int | str],
        source: Source | None = None,
        num_classes: int | None = None,
        fit: str = "crop",
        path: str | None = None,
        split: str = "train",
        channels: int | str | None = None,
        labels: Any = None,
        max_corrupt: int = 0,
        flip: bool = False,
        reader: Callable[..., Source] | None = None,
        picture: Callable[..., Any] | None = None,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", str(name)):
            raise ConfigError(f"dataset.name={name}: letters, digits, _ . and - only; it names a folder")
        if fit not in FITS:
            raise ConfigError(f"dataset.fit={fit}: choose {', '.join(FITS)}")
        if num_classes is not None and (type(num_classes) is not int or num_classes < 1):
            raise ConfigError(f"dataset.num_classes={num_classes}: a whole number above 0, or null")
        if type(flip) is not bool:
            raise ConfigError(f"dataset.flip={flip}: true or false")
        self.name = str(name)
        self.image_shape = _shape(image_shape, channels, source)
        self.source = source
        self.num_classes = num_classes
        self.fit = fit
        self.path = path
        self.split = split
        self.labels = labels
        self.max_corrupt = max_corrupt
        self.flip = flip
        self.reader = reader
        self.picture = picture

    @property
    def ready_made(self) -> bool:
        """Whether it has a source of its own."""
        return self.source is not None

    @cached_property
    def folder(self) -> Path:
        """Where the store is or will be. Without a source, or with `auto` channels, this looks at the images."""
        return self._place(self._local(None))[0]

    def open(self) -> Store:
        """The store, packed now if it is not there; the source may download.

        Raises GanLabError in one line when the store is damaged, does not come from `path`, or cannot be made.
        """
        return self.pack()

    def pack(self, from_: str | Path | None = None, force: bool = False) -> Store:
        """Pack from the folder or zip `from_`, else from `path`, else from the source; a store that is there stays.

        `force` packs again. Without a source of its own `from_` is just another `path`. Raises as `open` does.
        """
        if from_ is not None and not self.ready_made:
            return self.located(from_).pack(force=force)
        local = self._local(from_)
        folder, shape = self._place(local)
        if not folder.exists() or force:
            source = local.source if local else self.source
            assert source is not None
            try:
                store = pack(source, shape, self.fit, folder, self.name, force)
            except DownloadError as error:
                raise self._unavailable(error, folder) from error
        else:
            store = Store(folder)
            if local is not None and self.ready_made and store.card["origin"] != local.source.identity:
                raise ConfigError(
                    f"{local.key}: {self.name} is packed already, from {store.card['source']}; leave {local.key} out "
                    f"to use that, or replace it: gan-lab data pack dataset={self.name} from={local.path} force=true"
                )
        return self._checked(store)

    def located(self, path: str | Path) -> Dataset:
        """The same dataset with another `path`."""
        other = copy.copy(self)
        other.__dict__.pop("folder", None)
        other.path = str(path)
        return other

    def _place(self, local: UserImages | None) -> tuple[Path, tuple[int, int, int]]:
        """Where the store is, one folder for each source, shape and fit; and that shape, channels settled."""
        source = self.source if self.source is not None else local.source if local is not None else None
        assert source is not None  # _local has complained
        channels, height, width = self.image_shape
        places = {}
        for count in MODES if channels == AUTO else (channels,):
            decides = "\n".join([self.name, str((count, height, width)), self.fit, source.identity])
            digest = hashlib.sha256(decides.encode(errors="surrogateescape")).hexdigest()[:8]
            places[count] = data_root() / f"{self.name}-{width}x{height}x{count}-{digest}"
        if channels == AUTO:
            try:
                channels = _noted_channels(places.values()) or (source if local is None else local.source).channels
            except DownloadError as error:
                raise self._unavailable(error, data_root()) from error
        return places[channels], (channels, height, width)

    def _unavailable(self, error: DownloadError, folder: Path) -> GanLabError:
        return GanLabError(
            f"{self.name} could not be downloaded ({error}): either "
            f"`gan-lab data pack dataset={self.name} from=FOLDER_OR_ZIP` here, with the same dataset settings, or "
            f"pack it on a machine with a network and copy the store to {folder} (or set GAN_LAB_DATA)"
        )

    def _local(self, from_: str | Path | None) -> UserImages | None:
        """What the user has at hand, if anything is given; a dataset without a source must have something."""
        given = from_ or self.path
        if given is None:
            if self.ready_made:
                return None
            kind = "FOLDER_OR_ZIP" if self.reader is None else "FILE"
            raise ConfigError(f"dataset.path: say where the images are: dataset={self.name} dataset.path={kind}")
        path, key = abspath(Path(given).expanduser()), "from" if from_ else "dataset.path"
        if not Path(path).exists():
            raise ConfigError(f"{key}: {path} does not exist")
        options: dict[str, Any] = {} if self.labels is None else {"labels": self.labels}
        options |= {"max_corrupt": self.max_corrupt} if self.max_corrupt else {}
        try:
            source = (self.reader or Folder)(path, split=self.split, key=key, **options)
        except TypeError as error:
            raise ConfigError(f"dataset.reader: {error}") from error
        return UserImages(source if self.source is None else self.source.replaced_by(source), path, key)

    def _checked(self, store: Store) -> Store:
        classes = store.classes
        if classes is not None and self.num_classes is not None and len(classes) != self.num_classes:
            shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
            raise ConfigError(
                f"dataset.num_classes={self.num_classes}: {self.name} has {len(classes)} classes ({shown}); "
                f"set dataset.num_classes={len(classes)}, or null"
            )
        return store


def _noted_channels(folders: Iterable[Path]) -> int | None:
    """What the card of a store that was packed from the same images notes about them."""
    for folder in folders:
        with contextlib.suppress(StoreError):
            noted = Store(folder).card.get("channels")
            if noted in MODES:
                return int(noted)
    return None


def _shape(image_shape: Sequence[int | str], channels: int | str | None, source: Source | None) -> Shape:
    """`image_shape` with `channels` in the place of `auto`. Raises ConfigError for a shape that cannot be."""
    if channels not in (None, AUTO, *MODES) or isinstance(channels, bool):
        raise ConfigError(f"dataset.channels={channels}: 1 (gray), 3 (colour) or auto")
    try:
        sides = tuple(image_shape)
    except TypeError:
        sides = ()
    if isinstance(channels, int) and len(sides) == 3:
        if sides[0] not in (AUTO, channels):
            raise ConfigError(
                f"dataset.channels={channels}: dataset.image_shape={image_shape} has {sides[0]}; give one"
            )
        sides = (channels, *sides[1:])
    own = None if source is None else source.shape
    if own is not None and sides != own:
        raise ConfigError(f"dataset.image_shape={image_shape}: this dataset has {list(own)} and no other")
    first = (own[0],) if own is not None else (AUTO, *MODES)
    whole = all(type(side) is int and side > 0 for side in sides[1:])
    if len(sides) != 3 or not whole or sides[0] not in first or isinstance(sides[0], (bool, float)):
        raise ConfigError(
            f"dataset.image_shape={image_shape}: [channels, height, width] with 1 or 3 channels (or auto), "
            "e.g. [3,64,64]"
        )
    return sides  # type: ignore[return-value]
