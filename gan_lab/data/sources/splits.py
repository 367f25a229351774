"""Which of the folders in a dataset are meant: through what lies above all images, and into one of the splits."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gan_lab.data.sources.archive import File
from gan_lab.data.sources.layouts import SPLIT_OF, SPLITS, Layout, recognise
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.paths import shell
from gan_lab.errors import ConfigError


class Chosen(NamedTuple):
    """The files that are meant, the folders above all of them, and the split that they are of."""

    files: list[File]
    top: tuple[str, ...]
    split: str | None


def aliases(split: str) -> tuple[str, ...]:
    """The usual names of a split, in lower case; its own, where it is none of them."""
    return SPLITS.get(SPLIT_OF.get(split.lower(), ""), (split.lower(),))


def choose(
    files: list[File],
    split: str,
    path: Path,
    top: tuple[str, ...] = (),
    key: str = "dataset.path",
    classes: bool = False,
) -> Chosen:
    """Descend from `top` through single common folders and into the split.

    Folders are splits where there are several such names (`train`, `test`; `train_images`, `test_images`), or one and
    nothing else; also below every class (`cat/train`, `cat/test`). Raises ConfigError where `split` is not among them,
    and, unless folders are said to be `classes` or all one set, where they are two sets or pictures with what belongs
    to each (see `gan_lab.data.sources.layouts`).
    """
    found: str | None = None
    while files:
        depth = len(top)
        names = {file.parts[depth] for file in files if len(file.parts) > depth + 1}
        loose = any(len(file.parts) == depth + 1 for file in files)
        splits = _splits(names, loose) if found is None else {}
        if splits:
            found = _wanted(split, splits, path)
            step = splits[found]
        elif len(names) == 1 and not loose:
            step = next(iter(names))
        else:
            if not classes and (layout := recognise(names)) is not None and not layout.splits:
                raise _asked(layout, sorted(names), path.joinpath(*top), key)
            break
        files = [file for file in files if len(file.parts) > depth + 1 and file.parts[depth] == step]
        top = (*top, step)
    if found is None:
        files, found = _below_classes(files, split, path, len(top))
    return Chosen(files, top, found)


def _splits(names: set[str], loose: bool) -> dict[str, str]:
    """The folder of each split."""
    splits = {SPLIT_OF[name.lower()]: name for name in sorted(names) if name.lower() in SPLIT_OF}
    if splits and (len(splits) > 1 or (len(names) == 1 and not loose)):
        return splits
    layout = recognise(names)
    return {} if layout is None else layout.splits


def _wanted(split: str, there: dict[str, str], path: Path) -> str:
    wanted = SPLIT_OF.get(split.lower(), split)
    if wanted not in there:
        raise ConfigError(f"dataset.split={split}: {path} has only {listed(list(there.values()))}")
    return wanted


def _below_classes(files: list[File], split: str, path: Path, depth: int) -> tuple[list[File], str | None]:
    """Of class folders that hold nothing but splits, the files of the wanted one."""
    below = {file.parts[depth + 1].lower() if len(file.parts) > depth + 2 else "" for file in files}
    there = {SPLIT_OF[name]: name for name in sorted(below) if name in SPLIT_OF}
    if len(there) < 2 or not below <= SPLIT_OF.keys():
        return files, None
    wanted = _wanted(split, there, path)
    return [file for file in files if SPLIT_OF[file.parts[depth + 1].lower()] == wanted], wanted


def _asked(layout: Layout, names: list[str], where: Path, key: str) -> ConfigError:
    a, b = (shell(where / str(name)) for name in (layout.inputs, layout.images))
    what = "two sets of pictures" if layout.two_sets else "pictures and what belongs to each"
    both = f"dataset=paired dataset.path_a={a} dataset.path_b={b}"
    if layout.two_sets:
        both = f"dataset=unpaired dataset.path={shell(where)}, or where they belong together {both}"
    return ConfigError(
        f"{key}: {where} holds {listed(names)}: {what}, not classes? One of them is dataset.path={b}; both are {both}; "
        "dataset.labels=folders takes them for classes, dataset.labels=none all for one set"
    )
