"""What a recipe (`configs/experiment/NAME.yaml`) needs and is expected to reach: read off its file, not composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_lab.config import require_whole, targets
from gan_lab.errors import ConfigError
from gan_lab.reproduction.band import Band

CHEAP = 300  # seconds
NOTHING, DOWNLOAD, PATH = "nothing", "a download", "dataset.path"
ORIGINS = {  # of images, by who reads them; any other reads what the user has
    "gan_lab.data.sources.digits.": NOTHING,
    "gan_lab.data.sources.points.": NOTHING,
    "gan_lab.data.sources.torchvision.": DOWNLOAD,
    "gan_lab.data.sources.hub.": DOWNLOAD,
}


@dataclass(frozen=True)
class Recipe:
    """`needs` is what must be there beside the package: nothing, a download (which the run makes by itself) or the
    user's own images. `seconds` is how long one seed takes on two quiet cores, `seeds` how many the bands were measured
    with; a recipe without `bands` can only be trained."""

    name: str
    dataset: str
    needs: str
    seconds: float | None = None
    seeds: int = 0
    bands: tuple[Band, ...] = ()

    @property
    def cheap(self) -> bool:
        """Whether one seed takes less than five minutes."""
        return self.seconds is not None and self.seconds < CHEAP


def find(roots: Sequence[Path]) -> dict[str, Recipe]:
    """The recipes of the folders of configurations `roots`, by name; the first folder that has one decides.

    Raises ConfigError for a file that cannot be read or whose `expected` makes no sense.
    """
    paths: dict[str, Path] = {}
    for path in (path for root in roots for path in sorted((root / "experiment").glob("*.yaml"))):
        paths.setdefault(path.stem, path)
    return {name: read(name, paths[name], roots) for name in sorted(paths)}


def read(name: str, path: Path, roots: Sequence[Path]) -> Recipe:
    """One recipe."""
    node = load(path)
    dataset = choice_of(node, "dataset") or choice_of(next(_files(roots, "train.yaml")), "dataset") or ""
    own = node.get("dataset")
    given = isinstance(own, Mapping) and bool(own.get("path"))
    needs = PATH if given else origin(next(_files(roots, f"dataset/{dataset}.yaml"), {}))
    expected = node.get("expected")
    if expected is None:
        return Recipe(name, dataset, needs)
    where = f"{path}: expected"
    figures = expected.get("figures") if isinstance(expected, Mapping) else None
    seconds = expected.get("seconds") if isinstance(expected, Mapping) else None
    if not isinstance(figures, Mapping) or not figures or isinstance(seconds, bool):
        raise ConfigError(
            f"{where}: says no figures, e.g. {{seconds: 240, seeds: 3, figures: {{fid: {{at_most: 9}}}}}}"
        )
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        raise ConfigError(f"{where}.seconds: {seconds!r} is not how long it takes")
    seeds = require_whole(expected.get("seeds", 1), f"{where}.seeds")
    bands = tuple(Band.read(str(metric), band, f"{where}.figures.{metric}") for metric, band in figures.items())
    return Recipe(name, dataset, needs, float(seconds), seeds, bands)


def choice_of(node: Mapping[str, Any], group: str) -> str | None:
    """The choice that the defaults list of a file makes in a group."""
    found = None
    for entry in node.get("defaults") or []:
        for key, choice in entry.items() if isinstance(entry, Mapping) else ():
            if str(key).removeprefix("override ").lstrip("/") == group:
                found = str(choice)
    return found


def origin(dataset: Mapping[str, Any]) -> str:
    """What a dataset needs: its innermost reader decides."""
    readers = [target for _, target in targets(dataset.get("source"))]
    found = [origin for target in readers for prefix, origin in ORIGINS.items() if target.startswith(prefix)]
    return found[-1] if found else PATH


def load(path: Path) -> dict[str, Any]:
    """A YAML file as plain data. Raises ConfigError."""
    import yaml  # type: ignore[import-untyped]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from error
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{path}: is not a configuration (key: value)")
    return found or {}


def _files(roots: Sequence[Path], name: str) -> Iterator[dict[str, Any]]:
    return (load(root / name) for root in roots if (root / name).is_file())
