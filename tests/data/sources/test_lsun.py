from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.sources.lsun import Lsun
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import encoded, noise


def write(folder: Path, count: int, seed: int) -> None:
    """One category as LSUN's authors pack it."""
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(folder), map_size=1 << 22) as file, file.begin(write=True) as transaction:
        for index in range(count):
            transaction.put(f"{index:040x}".encode(), encoded(noise(30, 20, seed=seed + index), "WEBP", lossless=True))


def test_categories_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "bedroom_train_lmdb", 3, 0)
    write(tmp_path / "tower_train_lmdb", 2, 10)
    one = Lsun(root=str(tmp_path))
    images = [np.asarray(image) for _, image, _ in one]
    np.testing.assert_array_equal(images, [np.asarray(noise(30, 20, seed=seed)) for seed in range(3)])
    assert ([label for _, _, label in one], one.classes, len(one)) == ([None] * 3, None, 3)
    two = Lsun(["tower", "bedroom"], root=str(tmp_path))
    assert [label for _, _, label in two] == [0, 0, 1, 1, 1]
    assert (two.classes, len(two), two.channels) == (["tower", "bedroom"], 5, 3)
    assert two.identity == "lsun:tower,bedroom:train"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bedroom_train_lmdb", "tower_train_lmdb"]


def test_a_category_that_is_not_there(tmp_path: Path, root: Path) -> None:
    pytest.importorskip("lmdb")
    with pytest.raises(
        ConfigError, match=rf"^dataset\.source\.root: {tmp_path}/bedroom_val_lmdb is not there; download"
    ):
        len(Lsun("bedroom", "val", str(tmp_path)))
    with pytest.raises(ConfigError, match=rf"{root}/downloads/lsun/bedroom_train_lmdb is not there"):
        len(Lsun())
    (tmp_path / "bedroom_train_lmdb").mkdir()
    (tmp_path / "bedroom_train_lmdb" / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match=r"bedroom_train_lmdb cannot be read \("):
        len(Lsun(root=str(tmp_path)))


@pytest.mark.parametrize("classes", [[], ["tower", "tower"]])
def test_each_category_once(classes: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^classes=.*: one or more, each once"):
        Lsun(classes)


def test_it_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(GanLabError, match=r"^this dataset needs the package lmdb: pip install 'gan-lab\[lsun\]'$"):
        len(Lsun())
