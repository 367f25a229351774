"""One side of two sets of pictures that do not belong together one by one: horses and zebras."""

from __future__ import annotations

from pathlib import Path

from gan_lab.data.sources.archive import File
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.opening import kind_of
from gan_lab.data.sources.pairs import DIRECTIONS
from gan_lab.data.sources.splits import Chosen, aliases, choose
from gan_lab.errors import ConfigError


class Domain(Folder):
    """The images that are to be made, or those that they are made from (`inputs`): with the `direction` a2b the inputs
    are the domain a, with b2a the domain b.

    a lies under `path_a` and b under `path_b`, each a folder or zip; or both under `path`, as trainA, trainB, testA,
    testB (of which `split` is read), or as A and B, which may hold splits. Otherwise as `Folder`. Raises ConfigError
    where they do not lie like this.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        split: str = "train",
        key: str = "dataset.path",
        labels: str | None = None,
        max_corrupt: int = 0,
        path_a: str | Path | None = None,
        path_b: str | Path | None = None,
        direction: str = "a2b",
        inputs: bool = False,
    ) -> None:
        if direction not in DIRECTIONS:
            raise ConfigError(f"dataset.direction={direction}: choose {' or '.join(DIRECTIONS)}")
        if (path is None) == (path_a is None) or (path_a is None) != (path_b is None):
            raise ConfigError(
                "dataset.path_a, dataset.path_b: say where the two sets are: path_a=FOLDER_OR_ZIP and path_b=..., "
                "or one dataset.path of trainA and trainB"
            )
        self.letter = "a" if inputs == (direction == "a2b") else "b"
        own = path_a if self.letter == "a" else path_b
        if path is None:
            assert own is not None
            super().__init__(own, split, f"dataset.path_{self.letter}", labels, max_corrupt)
        else:
            super().__init__(path, split, key, labels, max_corrupt)
        self.together = path is not None

    @property
    def identity(self) -> str:
        return f"{super().identity}:{self.letter}" if self.together else super().identity

    def describe(self) -> str:
        if not self.together:
            return super().describe()
        return f"{kind_of(self.path)} {self.path}, {'/'.join(self._listing.top)}/"

    def _choose(self, images: list[File]) -> Chosen:
        if not self.together:
            return super()._choose(images)
        top = self.inside
        while len(names := {file.parts[len(top)] for file in images if len(file.parts) > len(top) + 1}) == 1:
            top = (*top, names.pop())  # what lies above both
        wanted = [f"{alias}{self.letter}" for alias in aliases(self.split)] + [self.letter]
        there = {name.lower().replace("_", ""): name for name in sorted(names, reverse=True)}
        found = next((there[name] for name in wanted if name in there), None)
        if found is None:
            raise ConfigError(
                f"{self.key}: no {self.split}{self.letter.upper()} in {self.path.joinpath(*top)}, which has "
                f"{listed(sorted(names)) or 'no folders'}; give the two sets as dataset.path_a and dataset.path_b"
            )
        top = (*top, found)
        below = [file for file in images if file.parts[: len(top)] == top]
        return choose(below, self.split, self.path, top, self.key, self.labels in ("folders", "none"))
