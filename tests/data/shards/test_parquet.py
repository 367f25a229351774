from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gan_lab.data.shards import parquet
from gan_lab.data.shards.parquet import Parquet
from gan_lab.data.shards.places import Place, find_places
from gan_lab.data.shards.shard import Options
from gan_lab.errors import ConfigError, GanLabError
from tests.data.sources.test_parquet import PNGS, write


def place_of(path: Path) -> Place:
    return find_places(str(path))[0]


@pytest.mark.parametrize("struct", [False, True])
def test_images_labels_and_captions(struct: bool, tmp_path: Path) -> None:
    cells: list[Any] = [{"bytes": png, "path": None} for png in PNGS] if struct else PNGS
    said = [f"said of {number}" for number in range(6)]
    path = write(tmp_path / "a.parquet", image=cells, label=[5, 1, 5, None, 5, 9], caption=said)
    place, options = place_of(path), Options()
    found = Parquet().scan(place, options)
    assert found.table[:, :2].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert found.chunks[:, :2].tolist() == [[0, 2], [2, 2], [4, 2]]
    assert [found.labels[code] if code >= 0 else None for code in found.table[:, -1]] == ["5", "1", "5", None, "5", "9"]
    assert (found.captioned, found.noted) == (6, None)
    read = Parquet().read(place, found.table[3:4], options)
    assert [(each.data, list(each.captions)) for each in read] == [(PNGS[3], ["said of 3"])]


def test_names_of_classes_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ["ant", "bee"], image=PNGS, label=[0, 1] * 3)
    assert Parquet().scan(place_of(path), Options()).noted == ["ant", "bee"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (Options(image="x"), r"dataset\.image=x: .* has image, label"),
        (Options(image="label"), r"dataset\.image: .* column label is int64, not images as bytes"),
        (Options(labels="x"), r"dataset\.labels=x: .* has image, label"),
    ],
)
def test_columns_that_are_not_there(options: Options, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=PNGS, label=[1] * 6)
    with pytest.raises(ConfigError, match=told):
        Parquet().scan(place_of(path), options)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=PNGS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        GanLabError, match=r"a\.parquet is truncated or no Parquet: its footer, at the end of \d+ bytes"
    ):
        Parquet().scan(place_of(path), Options())


def test_row_groups_that_would_fill_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "LARGEST", 10)
    with pytest.raises(ConfigError, match=r"row group 0 has .*row_group_size=256"):
        Parquet().scan(place_of(write(tmp_path / "a.parquet", image=PNGS)), Options())
