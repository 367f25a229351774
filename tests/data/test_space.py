"""A store that cannot be is refused with its bytes, before a picture is read."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data import space
from gan_lab.data.dataset import Dataset
from gan_lab.data.sources import folder
from gan_lab.data.sources.arrays import Arrays
from gan_lab.data.sources.digits import Digits
from gan_lab.data.sources.pairs import Pairs
from gan_lab.data.space import Need, in_words
from gan_lab.errors import ConfigError

from .conftest import encoded, noise, write_tree

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Five, that nobody may look at."""

    def looked(*_: object) -> None:
        raise AssertionError("a picture was read")

    monkeypatch.setattr(folder, "decode", looked)
    return str(write_tree(tmp_path / "x", {f"{n}.png": encoded(noise(4, 4)) for n in range(5)}))


def pairs(path: str) -> dict[str, Any]:
    return {"reader": Pairs, "path_a": path, "path_b": path}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "dataset.image_shape=[3, 100000, 100000]: 5 of them take 139.7 GiB"),
        ({"patch": {"size": 50_000, "stride": 9}}, "dataset.patch=[3, 50000, 50000]: 5 of them take 34.9 GiB"),
        ({"pairs": True}, "dataset.image_shape=[3, 100000, 100000]: 5 of them take 279.4 GiB"),
        ({"pairs": True, "image_shape": [1, 4, 4], "input_shape": [1, 9000, 9000]},
         "dataset.input_shape=[1, 9000, 9000]: 5 of them take 386 MiB"),
        ({"channels": "auto", "image_shape": ["auto", 10_000_000, 1]}, None),
    ],
)  # fmt: skip
def test_shapes_that_no_picture_has(more: dict[str, Any], told: str | None, pictures: str, root: Path) -> None:
    given = {"image_shape": [3, 100_000, 100_000], **more}
    reading = pairs(pictures) if given.pop("pairs", False) else {"path": pictures}
    data = Dataset("x", **given, **reading)
    if told is None:
        Need("k", (3, 10_000_000, 1), 1, None, 5).check(root / "x")  # ten megapixels, if in one row
        return
    with pytest.raises(ConfigError) as caught:
        data.pack()
    assert str(caught.value) == f"{told}, and no picture of more than 64 megapixels is read; take a smaller shape"
    assert not root.exists()


def test_arrays_and_sources_of_our_own(tmp_path: Path, root: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((6, 5, 5, 3), np.uint8))
    with pytest.raises(ConfigError, match=r"^dataset\.image_shape=.*: 6 of them take 167\.6 GiB, and no picture"):
        Dataset("x", [3, 100_000, 100_000], path=str(tmp_path / "x.npz"), reader=Arrays).pack()
    with pytest.raises(ConfigError, match=r"^dataset\.image_shape=.*: each takes 9\.3 GiB, and no picture"):
        Dataset("x", [1, 100_000, 100_000], source=Digits()).pack()
    assert not root.exists()


def test_a_disk_without_room(pictures: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def usage(path: Path) -> Usage:
        seen.append(path)
        return Usage(0, 0, 5 * 3 * 16 * 16 - 1)

    monkeypatch.setattr(space.shutil, "disk_usage", usage)
    with pytest.raises(ConfigError) as caught:
        Dataset("x", [3, 16, 16], path=pictures).pack()
    assert str(caught.value) == (
        f"dataset.image_shape=[3, 16, 16]: 5 of them take 4 KiB, and 4 KiB are free in {root}; take a smaller shape, "
        "free some, or set GAN_LAB_DATA elsewhere"
    )
    assert seen == [root.parent]  # the nearest that is there
    with pytest.raises(AssertionError, match="a picture was read"):
        Dataset("x", [3, 16, 15], path=pictures).pack()


def test_bytes_in_words() -> None:
    assert [in_words(count) for count in (0, 1023, 1024, 5 * 1024**2, 3.25 * 1024**3)] == [
        "0 B", "1023 B", "1 KiB", "5 MiB", "3.2 GiB"
    ]  # fmt: skip
