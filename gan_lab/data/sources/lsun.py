"""LSUN as its authors publish it: one LMDB of WebP images per category and split (Yu et al. 2015, arXiv:1506.03365)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gan_lab.data.sources.paths import absolute
from gan_lab.data.sources.rows import Rows
from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra
from gan_lab.storage.root import data_root


class Lsun(Rows):
    """The categories `classes` from the folders `<category>_<split>_lmdb` under `root` (else `downloads/lsun` under the
    data root). Several categories are labels. It is read in the order of the file and never downloaded (bedroom has
    43 GB). It is not torchvision's class, which writes a pickle into the working directory and reads it from there.
    Raises ConfigError when a folder is not there.
    """

    def __init__(
        self,
        classes: Sequence[str] | str = ("bedroom",),
        split: str = "train",
        root: str | None = None,
        max_corrupt: int = 0,
    ) -> None:
        self.categories = [classes] if isinstance(classes, str) else list(classes)
        if not self.categories or len(set(self.categories)) < len(self.categories):
            raise ValueError(f"classes={self.categories}: one or more, each once, e.g. [bedroom]")
        self.split = split
        self.root = root
        self.max_corrupt = max_corrupt
        self.classes = self.categories if len(self.categories) > 1 else None

    @property
    def identity(self) -> str:
        return f"lsun:{','.join(self.categories)}:{self.split}"

    def describe(self) -> str:
        return f"LSUN {', '.join(self.categories)}, {self.split} split"

    def __len__(self) -> int:
        total = 0
        for category in self.categories:
            with self._open(category) as file:
                total += int(file.stat()["entries"])
        return total

    def rows(self) -> Iterator[tuple[Any, int | None]]:
        for label, category in enumerate(self.categories):
            with self._open(category) as file, file.begin(write=False) as transaction:
                for _, data in transaction.cursor():
                    yield data, label if self.classes else None

    def _open(self, category: str) -> Any:
        lmdb = import_extra("lmdb", "lsun")
        root = data_root() / "downloads" / "lsun" if self.root is None else absolute(self.root, "dataset.source.root")
        folder = root / f"{category}_{self.split}_lmdb"
        if not (folder / "data.mdb").is_file():
            raise ConfigError(
                f"dataset.source.root: {folder} is not there; download {category} {self.split} from "
                "github.com/fyu/lsun and unpack it, or say dataset.source.root=FOLDER"
            )
        try:
            return lmdb.open(str(folder), max_readers=1, readonly=True, lock=False, readahead=False, meminit=False)
        except lmdb.Error as error:
            raise ConfigError(f"dataset.source.root: {folder} cannot be read ({error})") from error
