"""A dataset as the configuration names it: a source, the shape its images are packed to, and the store that results."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from gan_lab.data.folder import Folder
from gan_lab.data.images import FITS, MODES
from gan_lab.data.packing import pack
from gan_lab.data.root import data_root
from gan_lab.data.sources import DownloadError, Source
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError


class Dataset:
    """Images of one `image_shape` = `(C, H, W)`, packed once under the data root. Making one touches nothing.

    With a `source` it is ready-made: `path` (a folder or zip) then replaces where the images are read from, and the
    store is the same one. Without a source the images are those at `path`, and changed images make another store.
    `num_classes`, when given, is checked against the labels. Raises ConfigError naming the key that is wrong.
    """

    def __init__(
        self,
        name: str,
        image_shape: Sequence[int],
        source: Source | None = None,
        num_classes: int | None = None,
        fit: str = "crop",
        path: str | None = None,
        split: str = "train",
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", str(name)):
            raise ConfigError(f"dataset.name={name}: letters, digits, _ . and - only; it names a folder")
        if fit not in FITS:
            raise ConfigError(f"dataset.fit={fit}: choose {', '.join(FITS)}")
        if num_classes is not None and (type(num_classes) is not int or num_classes < 1):
            raise ConfigError(f"dataset.num_classes={num_classes}: a whole number above 0, or null")
        self.name = str(name)
        self.image_shape = _shape(image_shape)
        self.source = source
        self.num_classes = num_classes
        self.fit = fit
        self.path = path
        self.split = split

    @property
    def ready_made(self) -> bool:
        """Whether it has a source of its own."""
        return self.source is not None

    @cached_property
    def folder(self) -> Path:
        """Where the store is or will be. Without a source this looks at the files under `path`."""
        source = self._local(None) if self.source is None else self.source
        assert source is not None  # _local has complained
        channels, height, width = self.image_shape
        decides = "\n".join([self.name, str(self.image_shape), self.fit, source.identity])
        digest = hashlib.sha256(decides.encode(errors="surrogateescape")).hexdigest()[:8]
        return data_root() / f"{self.name}-{width}x{height}x{channels}-{digest}"

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
        if not self.folder.exists() or force:
            store = self._fill(local, force)
        else:
            store = Store(self.folder)
            if local is not None and self.ready_made and store.card["origin"] != local.identity:
                raise ConfigError(
                    f"{local.key}: {self.name} is packed already, from {store.card['source']}; leave {local.key} out "
                    f"to use that, or replace it: gan-lab data pack dataset={self.name} from={local.path} force=true"
                )
        return self._checked(store)

    def located(self, path: str | Path) -> Dataset:
        """The same dataset with another `path`."""
        return Dataset(self.name, self.image_shape, self.source, self.num_classes, self.fit, str(path), self.split)

    def _fill(self, local: Folder | None, force: bool) -> Store:
        source = self.source if local is None else local
        assert source is not None
        try:
            return pack(source, self.image_shape, self.fit, self.folder, self.name, force)
        except DownloadError as error:
            raise GanLabError(
                f"{self.name} could not be downloaded ({error}): either "
                f"`gan-lab data pack dataset={self.name} from=FOLDER_OR_ZIP` here, with the same dataset settings, or "
                f"pack it on a machine with a network and copy the store to {self.folder} (or set GAN_LAB_DATA)"
            ) from error

    def _local(self, from_: str | Path | None) -> Folder | None:
        """The folder or zip to read, if one is given; a dataset without a source must have one."""
        path = from_ or self.path
        if path is None:
            if self.ready_made:
                return None
            raise ConfigError(f"dataset.path: say where the images are: dataset={self.name} dataset.path=FOLDER_OR_ZIP")
        folder = Folder(path, self.split, key="from" if from_ else "dataset.path")
        if not folder.path.exists():
            raise ConfigError(f"{folder.key}: {folder.path} does not exist")
        return folder

    def _checked(self, store: Store) -> Store:
        classes = store.classes
        if classes is not None and self.num_classes is not None and len(classes) != self.num_classes:
            shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
            raise ConfigError(
                f"dataset.num_classes={self.num_classes}: {self.name} has {len(classes)} classes ({shown}); "
                f"set dataset.num_classes={len(classes)}, or null"
            )
        return store


def _shape(image_shape: Sequence[int]) -> tuple[int, int, int]:
    try:
        sides = tuple(image_shape)
    except TypeError:
        sides = ()
    if len(sides) != 3 or any(type(side) is not int or side < 1 for side in sides) or sides[0] not in MODES:
        raise ConfigError(
            f"dataset.image_shape={image_shape}: [channels, height, width] with 1 or 3 channels, e.g. [3,64,64]"
        )
    return sides
