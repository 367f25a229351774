"""Files that others may have written, damaged: a reader says in one line what is wrong, or reads what is whole.

A few of each kind; `python -m tests.fuzz 5000` plays many.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gan_lab.errors import GanLabError
from tests.fuzz.found import FOUND
from tests.fuzz.playing import failure, play
from tests.fuzz.readers import READERS, Reader, state

COUNT = 12


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_in_one_line(name: str) -> None:
    assert not {where: crash.data[:200] for where, crash in play(name, READERS[name], COUNT).items()}


@pytest.mark.parametrize("name", READERS)
def test_the_good_ones_are_read(name: str, tmp_path: Path) -> None:
    """What damage begins from must not be refused itself, or nothing deep is ever reached."""
    reader = READERS[name]
    for number, good in enumerate(reader.good()):
        folder = tmp_path / str(number) / ".hydra"
        folder.mkdir(parents=True)
        reader.beside(folder)
        (folder / reader.file).write_bytes(good if reader.write is None else reader.write(good))
        reader.read(folder)


@pytest.mark.parametrize(("name", "raised", "data"), FOUND, ids=[f"{name}: {raised}" for name, raised, _ in FOUND])
def test_what_was_found_once_is_refused(name: str, raised: str, data: bytes) -> None:
    assert failure(READERS[name], data) == ""


def test_damage_is_the_same_for_a_seed_and_reaches_values() -> None:
    values = READERS["checkpoint, values"]
    assert values.damaged(Random("1")) == values.damaged(Random("1"))
    assert len({READERS["card"].damaged(Random(str(seed))) for seed in range(20)}) > 15
    assert state()["networks"]


def fails(act: Callable[[Path], Any]) -> Reader:
    return Reader("x", act, lambda: [b"some good bytes"])


def raises(error: BaseException) -> Callable[[Path], Any]:
    def read(folder: Path) -> None:
        raise error

    return read


def spoils(folder: Path) -> None:
    (folder / "left").touch()
    raise GanLabError("x: refused")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (raises(KeyError("x")), "KeyError in ?"),
        (raises(SystemExit()), "SystemExit in ?"),
        (raises(GanLabError("one\ntwo")), "says more than one line"),
        (raises(GanLabError("x: refused")), ""),
        (lambda folder: (folder / "left").touch(), "leaves files behind"),
        (spoils, "leaves files behind"),
    ],
)
def test_what_counts_as_a_crash(act: Callable[[Path], Any], said: str) -> None:
    assert failure(fails(act), b"") == said


def test_a_crash_is_made_small() -> None:
    def read(folder: Path) -> None:
        if b"g" in (folder / "x").read_bytes():
            raise ValueError

    found = play("x", fails(read), 5)
    assert [crash.data for crash in found.values()] == [b"g"]
