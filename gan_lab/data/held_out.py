"""Images that training never saw, read as the data was: another split of the dataset, or images that the user has."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from os.path import abspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.opening import is_there
from gan_lab.data.sources.selected import Selection
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError

log = logging.getLogger(__name__)

HELD_OUT = ("test", "val")  # splits that training does not see


def held_out(data: Dataset, name: str, key: str) -> tuple[Dataset, str]:
    """The images that `name` means, packed and kept like any others; and their split, `path` for what lies at a path.

    A plain word is a split, of a dataset that has such a setting; anything else is the path of a folder or zip, or of
    a folder in a zip (of what the dataset reads, where that is something else). Raises ConfigError or GanLabError, in
    one line beginning with `key`, where they cannot be had, and where they are the data's own images.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"{key}: {name!r} is neither a split's name nor a path; null does without")
    if data.config is None:
        raise ConfigError(f"{key}={name}: where the data comes from is not known, so no others can be read like it")
    a_split = "split" in data.config and not looks_like_a_path(name)
    try:
        dataset = _of_split(data, name) if a_split else _at_path(data, name, key)
        dataset.image_shape = data.store.shape  # with as many channels as the data, whatever these images have
        dataset.tokenizer = data.known_words or dataset.tokenizer  # what is said of them in the data's words
        store = dataset.store
    except GanLabError as error:
        kind = ConfigError if isinstance(error, ConfigError) else GanLabError
        told = str(error) if str(error).startswith(key) else f"{key}={name}: {error}"
        raise kind(told + (f" (a folder here: ./{name})" if a_split and Path(name).exists() else "")) from error
    own = _of_split(data, data.config["split"]) if a_split and data.selection.held_out else data
    own.image_shape = data.store.shape
    if store.sha256 == own.store.sha256:  # of a folder without splits all of it, whichever is asked for
        raise ConfigError(f"{key}={name}: these are the images of the data itself; name others, or null")
    return dataset, name if a_split else "path"


def held_out_by_itself(data: Dataset, key: str) -> tuple[Dataset, str] | None:
    """The images of the data's own test split, else of its validation split, as `held_out` has them; None where it has
    neither. Raises GanLabError where one that there is cannot be had."""
    for split in HELD_OUT if data.config is not None and "split" in data.config else ():
        try:
            return held_out(data, split, key)
        except ConfigError:
            continue  # there is no such split
    return None


def looks_like_a_path(name: str) -> bool:
    return name.startswith(("~", ".")) or os.sep in name or "/" in name or bool(Path(name).suffix)


def whole_test_split(data: Dataset) -> Dataset | None:
    """All images of the data's test split, those of classes too that the data does not have; None where there is no
    such split. Raises GanLabError where one that there is cannot be had."""
    if data.config is None or "split" not in data.config:
        return None
    dataset = _of_split(data, "test")
    dataset.selection, dataset.num_classes = Selection(), None
    dataset.image_shape = data.store.shape
    try:
        other = every_class(data)  # which a folder without splits is, whichever is asked for
        same = dataset.listed == other.listed and dataset.store.sha256 == other.store.sha256
    except ConfigError:
        return None  # there is no such split
    return None if same else dataset


def every_class(data: Dataset) -> Dataset:
    """All images that the data was taken from: of every class, and those that are held out."""
    assert data.config is not None
    dataset = build_dataset({**data.config, "sha256": None})
    dataset.selection, dataset.num_classes = Selection(), None
    dataset.image_shape = data.store.shape
    return dataset


def _of_split(data: Dataset, name: str) -> Dataset:
    assert data.config is not None
    config = _with_split(data.config, data.config["split"], name)
    return build_dataset({**config, "held_out": 0.0} if "held_out" in config else config)  # that is of training's


def _with_split(node: Mapping[str, Any], before: Any, split: str) -> dict[str, Any]:
    """The configuration of a dataset with another split. It comes resolved, so what once was `${..split}` below is told
    by its name and value."""
    changed: dict[str, Any] = {}
    for key, value in node.items():
        if key == "sha256":  # of the images of the split before
            continue
        if isinstance(value, Mapping):
            changed[key] = _with_split(value, before, split)
        else:
            changed[key] = split if key == "split" and value == before else value
    return changed


def _at_path(data: Dataset, name: str, key: str) -> Dataset:
    """The dataset with its source replaced by what lies at the path."""
    assert data.config is not None
    path = abspath(Path(name).expanduser())
    if not is_there(path, key):
        splits = "" if "split" in data.config else f", and {data.store.name} has no splits"
        raise ConfigError(f"{key}: {path} does not exist{splits}")
    if data.known_words is not None and data.reading and (told := _told_at_path(data, path, key)) is not None:
        return told
    dataset = build_dataset(data.config)
    dataset.sha256 = None
    dataset.selection = Selection()  # of the data's own images
    dataset.inputs = None  # measures compare images: what those are made from, or what is said of them, is not read
    reader = None if dataset.reading else dataset.reader
    options: dict[str, Any] = {"max_corrupt": dataset.max_corrupt} if dataset.max_corrupt else {}
    if dataset.labels is not None and (reader is not None or dataset.labels in ("folders", "none")):
        options["labels"] = dataset.labels  # a table is of the data's own files
    local = (reader or Folder)(path, split=dataset.split, key=key, **options)
    dataset.source = local if dataset.source is None else dataset.source.replaced_by(local)
    dataset.path = None
    dataset.num_classes = None  # some may be missing
    return dataset


def _told_at_path(data: Dataset, path: str, key: str) -> Dataset | None:
    """Images with captions as the data's are read; None, which is said, for those that have none."""
    assert data.config is not None
    dataset = build_dataset({**data.config, "path": path, "sha256": None, "num_classes": None})
    dataset.tokenizer = data.known_words
    dataset.image_shape = data.store.shape
    try:
        _ = dataset.folder  # which looks at images and captions, and packs nothing
    except ConfigError as error:
        log.warning("%s: is read without captions (%s)", key, error)
        return None
    return dataset


def as_classes_of(data: Dataset, other: Store) -> NDArray[np.int64]:
    """For each class of another store which of the data's it is: by its name, else by its number. Raises ConfigError
    for one that the data does not have, and for images without labels."""
    if other.classes is None:
        raise ConfigError(f"the images of {other.card['source']} have no labels")
    known = data.store.classes or []
    found = []
    for name in other.classes:
        if name in known:
            found.append(known.index(name))
        elif name.isdecimal() and int(name) < len(known):
            found.append(int(name))
        else:
            shown = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "")
            raise ConfigError(f"its class {name} is not one of the data's ({shown})")
    return np.array(found, np.int64)
