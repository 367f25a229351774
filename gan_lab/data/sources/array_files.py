"""Files of arrays: NumPy's npz and npy, and HDF5, opened without running anything that is in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gan_lab.data.sources import kinds
from gan_lab.data.sources.paths import shell
from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra

HDF5 = (".h5", ".hdf5", ".hdf")


@contextlib.contextmanager
def opened(path: Path, key: str) -> Iterator[Mapping[str, Any]]:
    """Every array by name; that of an npy has none. Raises ConfigError, which begins with `key`, for a file that cannot
    be read so."""
    if path.suffix.lower() in HDF5:
        with _opened_hdf5(path, key) as arrays:
            yield arrays
        return
    if path.suffix.lower() not in (".npz", ".npy"):
        raise _no_arrays(path, key)
    try:
        if path.suffix.lower() == ".npy":
            found: Mapping[str, Any] = {"": np.lib.format.open_memmap(path, mode="r")}
        else:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as loaded:
                members = {name: loaded[name] for name in loaded.files}
            found = {name: each for name, each in members.items() if isinstance(each, np.ndarray)}  # others: bytes
    except Exception as error:  # of damaged bytes NumPy raises whatever zips, parsers and memory have to say
        objects = "bject" in str(error) or "pickle" in str(error)
        told = " ".join(str(error).split()) or type(error).__name__
        reason = "holds Python objects, which are not read" if objects else f"cannot be read ({told[:200]})"
        raise ConfigError(f"{key}: {path} {reason}; save plain numbers") from error
    yield found


def _no_arrays(path: Path, key: str) -> ConfigError:
    """That the file is of another kind, and which dataset reads it."""
    told = kinds.told(path)
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if each.is_file())
        pictures = f"pictures: dataset=folder dataset.path={shell(path)}"
        told = f"a folder of {kinds.told_of_files(path, names) or pictures}"
    return ConfigError(
        f"{key}: {path} is not an array file (npz, npy, h5, hdf5, hdf)" + (f" but {told}" if told else "")
    )


@contextlib.contextmanager
def _opened_hdf5(path: Path, key: str) -> Iterator[Mapping[str, Any]]:
    h5py = import_extra("h5py", "hdf5")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read as HDF5 ({error})") from error
    with file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda name, item: arrays.__setitem__(name, item) if isinstance(item, h5py.Dataset) else None)
        yield arrays
