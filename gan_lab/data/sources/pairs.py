"""Pairs of pictures, of which one is made from the other: two folders that name them alike, or both in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from gan_lab.data.sources.archive import File
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.source import Example, Joined, Label
from gan_lab.data.sources.unreadable import Unreadable
from gan_lab.errors import ConfigError, GanLabError

DIRECTIONS = ("a2b", "b2a")
FOLDERS, SIDE_BY_SIDE = "folders", "side_by_side"


class Pairs(Joined):
    """Pictures a and b: with the `direction` a2b, a is the input and b the image that is made of it; b2a: vice versa.

    `layout` folders: a lies under `path_a` and b under `path_b`, two folders or zips, in files of the same name (their
    suffixes, and what lies above all files, aside). side_by_side: each picture under `path` holds a in its left half
    and b in its right. Without a layout the paths tell. Class folders of the images are labels (see `Folder`). Up to
    `max_unmatched` pictures without a partner are left out, and up to `max_corrupt` files that are no image.

    Raises ConfigError for paths that do not make a layout and for pictures without a partner, GanLabError for a picture
    that has no halves.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        split: str = "train",
        key: str = "dataset.path",
        path_a: str | Path | None = None,
        path_b: str | Path | None = None,
        layout: str | None = None,
        direction: str = "a2b",
        max_unmatched: int = 0,
        labels: str | None = None,
        max_corrupt: int = 0,
    ) -> None:
        if direction not in DIRECTIONS:
            raise ConfigError(f"dataset.direction={direction}: choose {' or '.join(DIRECTIONS)}")
        if type(max_unmatched) is not int or max_unmatched < 0:
            raise ConfigError(f"dataset.max_unmatched={max_unmatched}: how many may be left out, 0 or more")
        folders = path is None if layout is None else layout == FOLDERS
        if layout not in (None, FOLDERS, SIDE_BY_SIDE):
            raise ConfigError(f"dataset.layout={layout}: choose {FOLDERS} or {SIDE_BY_SIDE}, or null")
        if folders and (path is not None or path_a is None or path_b is None):
            raise ConfigError(
                "dataset.path_a, dataset.path_b: say where the pairs are: path_a=FOLDER_OR_ZIP of the inputs and "
                "path_b=... of the images made of them, or one dataset.path of pictures side by side"
            )
        if not folders and (path is None or path_a is not None or path_b is not None):
            raise ConfigError(
                "dataset.path: pictures side by side lie under one path: name the folder, zip or tar, and leave "
                "path_a and path_b out"
            )
        self.direction = direction
        self.source: SideBySide | Matched
        if folders:
            assert path_a is not None
            assert path_b is not None
            a = Folder(path_a, split, "dataset.path_a", None if direction == "a2b" else labels, max_corrupt)
            b = Folder(path_b, split, "dataset.path_b", None if direction == "b2a" else labels, max_corrupt)
            self.source = Matched(a, b, max_unmatched) if direction == "a2b" else Matched(b, a, max_unmatched)
        else:
            assert path is not None
            self.source = SideBySide(Folder(path, split, key, labels, max_corrupt), left=direction == "a2b")

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return self.source.classes

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return self.source.attributes

    @property
    def channels(self) -> int:
        """1 if every picture is gray, else 3."""
        return self.source.channels

    @property
    def identity(self) -> str:
        return f"{self.source.identity}:{self.direction}"

    def describe(self) -> str:
        return f"{self.source.describe()}, {self.direction}"

    def __len__(self) -> int:
        return len(self.source)

    def examples(self) -> Iterator[Example]:
        return self.source.examples()


class SideBySide(Joined):
    """Each picture of `folder` is two of half its width: the input is the `left` one, or the right."""

    def __init__(self, folder: Folder, left: bool) -> None:
        self.folder = folder
        self.left = left

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return self.folder.classes

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return self.folder.attributes

    @property
    def channels(self) -> int:
        return self.folder.channels

    @property
    def identity(self) -> str:
        return f"side by side:{self.folder.identity}"

    def describe(self) -> str:
        return f"halves of the pictures in {self.folder.describe()}"

    def __len__(self) -> int:
        return len(self.folder)

    def examples(self) -> Iterator[Example]:
        for name, picture, label in self.folder:
            width, height = picture.size  # type: ignore[misc, union-attr]
            if width % 2:
                raise GanLabError(
                    f"{name}: {width} pixels wide; two pictures side by side are even; nothing was packed"
                )
            left = picture.crop((0, 0, width // 2, height))  # type: ignore[union-attr]
            right = picture.crop((width // 2, 0, width, height))  # type: ignore[union-attr]
            yield Example(name, right, label, left) if self.left else Example(name, left, label, right)


class Matched(Joined):
    """Pictures of two folders that have the same name."""

    def __init__(self, inputs: Folder, images: Folder, max_unmatched: int) -> None:
        self.inputs, self.images = inputs, images
        self.max_unmatched = max_unmatched

    @cached_property
    def _pairs(self) -> list[tuple[File, File, Label | None]]:
        """Input, image, label; in the order of the images."""
        inputs = _by_name(self.inputs)
        images = _by_name(self.images)
        alone = [file.name for name, file in inputs.items() if name not in images]
        alone_too = [file.name for name, file in images.items() if name not in inputs]
        unmatched = len(alone) + len(alone_too)
        if unmatched > self.max_unmatched or len(alone) == len(inputs):
            sides = ((self.inputs, alone), (self.images, alone_too))
            shown = "; ".join(f"{listed(names, 3)} of {side.key}" for side, names in sides if names)
            total = len(inputs) + len(images)
            out = "" if len(alone) == len(inputs) else f"leave them out with dataset.max_unmatched={unmatched}, or "
            raise ConfigError(
                f"{self.inputs.key}, {self.images.key}: {unmatched} of {total} pictures have no partner of their name "
                f"({shown}); {out}name them alike"
            )
        labels = dict(zip((file.name for file in self.images.files), self.images.label_of_each, strict=True))
        return [(inputs[name], file, labels[file.name]) for name, file in images.items() if name in inputs]

    @property
    def classes(self) -> list[str] | None:  # type: ignore[override]
        return self.images.classes

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return self.images.attributes

    @property
    def channels(self) -> int:
        return max(self.inputs.channels, self.images.channels)

    @property
    def identity(self) -> str:
        return f"pairs:{self.inputs.identity}:{self.images.identity}"

    def describe(self) -> str:
        return f"pairs of {self.inputs.describe()} and {self.images.describe()}"

    def __len__(self) -> int:
        return len(self._pairs)

    def examples(self) -> Iterator[Example]:
        where = f"{self.inputs.key}={self.inputs.path}, {self.images.key}={self.images.path}"
        unreadable = Unreadable(where, len(self._pairs), self.images.max_corrupt)
        with self.inputs.opened() as read_input, self.images.opened() as read_image:
            for given, made, label in self._pairs:
                try:
                    input = read_input(given)
                    image = read_image(made)
                except ImageError as error:
                    unreadable.add(made.name, error)
                    continue
                yield Example(made.name, image, label, input)
        unreadable.conclude()


def _by_name(folder: Folder) -> dict[str, File]:
    """The files by their names without suffix and without what lies above all of them. Raises ConfigError for two that
    have the same."""
    found: dict[str, File] = {}
    for file in folder.files:
        name = PurePosixPath(*file.parts[folder.depth :]).with_suffix("").as_posix()
        other = found.setdefault(name, file)
        if other is not file:
            raise ConfigError(f"{folder.key}: {other.name} and {file.name} have one name; keep one of them")
    return found
