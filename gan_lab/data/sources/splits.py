"""Which of the folders in a dataset are meant: through what lies above all images, and into one of the splits."""

from __future__ import annotations

from pathlib import Path

from gan_lab.data.sources.archive import File
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_SPLIT_OF = {alias: split for split, aliases in SPLITS.items() for alias in aliases}


def aliases(split: str) -> tuple[str, ...]:
    """The usual names of a split, in lower case; its own, where it is none of them."""
    return SPLITS.get(_SPLIT_OF.get(split.lower(), ""), (split.lower(),))


def choose(
    files: list[File], split: str, path: Path, top: tuple[str, ...] = ()
) -> tuple[list[File], tuple[str, ...], str | None]:
    """Descend from `top` through single common folders and into the split; returns the files, the way down, the split.

    Top folders are splits where there are several such names, or one and nothing else. Raises ConfigError where `split`
    is not among them.
    """
    found: str | None = None
    while files:
        depth = len(top)
        names = {file.parts[depth] for file in files if len(file.parts) > depth + 1}
        loose = any(len(file.parts) == depth + 1 for file in files)
        splits = {_SPLIT_OF[name.lower()]: name for name in sorted(names) if name.lower() in _SPLIT_OF}
        if found is None and splits and (len(splits) > 1 or (len(names) == 1 and not loose)):
            wanted = _SPLIT_OF.get(split.lower(), split)
            if wanted not in splits:
                raise ConfigError(f"dataset.split={split}: {path} has only {listed(list(splits.values()))}")
            found, step = wanted, splits[wanted]
        elif len(names) == 1 and not loose:
            step = next(iter(names))
        else:
            break
        files = [file for file in files if len(file.parts) > depth + 1 and file.parts[depth] == step]
        top = (*top, step)
    return files, top, found
