from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.sources.parquet import Parquet
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import encoded, noise

PNGS = [encoded(noise(6, 5, seed=seed)) for seed in range(6)]


def write(path: Path, names: list[str] | None = None, **columns: list[Any]) -> Path:
    """A Parquet file; `names` are class labels in Hugging Face's note."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table(columns)
    if names is not None:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=2)
    return path


def labels(source: Parquet) -> list[int | None]:
    return [label for _, _, label in source]


@pytest.mark.parametrize("struct", [False, True])
def test_images_and_labels(struct: bool, tmp_path: Path) -> None:
    cells = [{"bytes": png, "path": f"{place}.png"} for place, png in enumerate(PNGS)] if struct else PNGS
    source = Parquet(write(tmp_path / "a.parquet", image=cells, label=[5, 1, 5, 1, 5, 9]))
    images = [np.asarray(image) for _, image, _ in source]
    np.testing.assert_array_equal(images, [np.asarray(noise(6, 5, seed=seed)) for seed in range(6)])
    assert labels(source) == [1, 0, 1, 0, 1, 2]
    assert (source.classes, len(source), source.channels) == (["1", "5", "9"], 6, 3)
    assert source.describe() == f"parquet {tmp_path}/a.parquet"


def test_the_names_that_hugging_face_notes_are_the_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ["ant", "bee", "cat"], image=PNGS[:3], label=[2, 0, 2])
    assert (Parquet(path).classes, labels(Parquet(path))) == (["ant", "bee", "cat"], [2, 0, 2])
    hidden = write(tmp_path / "b.parquet", ["ant", "bee"], image=PNGS[:2], label=[-1, -1])
    assert labels(Parquet(hidden)) == [None, None]


def test_words_are_classes_and_a_missing_one_is_none(tmp_path: Path) -> None:
    source = Parquet(write(tmp_path / "a.parquet", jpg=PNGS[:3], **{"class": ["dog", None, "cat"]}))
    assert (source.classes, labels(source)) == (["cat", "dog"], [1, None, 0])


@pytest.mark.parametrize("name", ["{}-00000-of-00001.parquet", "{}/0.parquet", "data/{}.parquet"])
def test_a_folder_tells_splits_apart(name: str, tmp_path: Path) -> None:
    write(tmp_path / name.format("train"), image=PNGS[:4], label=[0, 0, 1, 1])
    write(tmp_path / name.format("validation"), image=PNGS[4:], label=[0, 1])
    assert (len(Parquet(tmp_path)), len(Parquet(tmp_path, "val"))) == (4, 2)
    assert Parquet(tmp_path).identity != Parquet(tmp_path, "val").identity
    with pytest.raises(ConfigError, match=r"^dataset\.split=test: .* has train, val$"):
        len(Parquet(tmp_path, "test"))


def test_the_files_of_a_folder_follow_each_other(tmp_path: Path) -> None:
    for place in range(3):
        write(tmp_path / f"part-{place}.parquet", image=PNGS[2 * place : 2 * place + 2], label=[2 - place] * 2)
    source = Parquet(tmp_path)
    assert labels(source) == [2, 2, 1, 1, 0, 0]
    assert np.array_equal(np.asarray(list(source)[5][1]), np.asarray(noise(6, 5, seed=5)))
    assert source.describe() == f"parquet {tmp_path}, 3 files"
    write(tmp_path / "part-3.parquet", other=PNGS, label=[0] * 6)
    with pytest.raises(ConfigError, match=r"part-3\.parquet has no column image$"):
        list(Parquet(tmp_path))


def test_columns_are_as_the_user_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=PNGS[:2], img=PNGS[2:4], label=[0, 1], fine=[7, 7])
    with pytest.raises(ConfigError, match=r"has image and img; say dataset\.reader\.image=NAME$"):
        list(Parquet(path))
    source = Parquet(path, image="img", labels="fine")
    assert (labels(source), source.classes) == ([0, 0], ["7"])
    assert labels(Parquet(path, image="img", labels="none")) == [None, None]
    for key, given in (("dataset.reader.image", {"image": "no"}), ("dataset.labels", {"labels": "no"})):
        with pytest.raises(ConfigError, match=rf"^{key}=no: .* has image, img, label, fine$"):
            list(Parquet(path, **{"image": "img", **given}))
    with pytest.raises(ConfigError, match=r"column fine is int64, not images as bytes$"):
        list(Parquet(path, image="fine"))
    with pytest.raises(ConfigError, match=r"none of its columns \(a\) is called image, "):
        list(Parquet(write(tmp_path / "b.parquet", a=[1])))


def test_damaged_images_are_left_out_if_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=[*PNGS[:2], b"damaged"], label=[0, 1, 0])
    with pytest.raises(GanLabError, match=r"^parquet .*: 1 of 3 rows cannot be read as images \(row 2: not an image\)"):
        list(Parquet(path))
    assert len(list(Parquet(path, max_corrupt=1))) == 2


def test_what_is_no_parquet_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(ConfigError, match=rf"^dataset\.path: no \.parquet files in {tmp_path}$"):
        len(Parquet(tmp_path))
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(ConfigError, match=r"^from: .*a\.parquet cannot be read as Parquet \(") as caught:
        len(Parquet(tmp_path, key="from"))
    assert "\n" not in str(caught.value)


def test_parquet_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").touch()
    with pytest.raises(
        GanLabError, match=r"^this dataset needs the package pyarrow: pip install 'gan-lab\[parquet\]'$"
    ):
        len(Parquet(tmp_path / "a.parquet"))


def test_what_the_system_left_behind_is_not_read(tmp_path: Path) -> None:
    for folder in ("", "@eaDir/", ".ipynb_checkpoints/", "#recycle/"):
        write(tmp_path / f"set/{folder}train-0.parquet", image=PNGS[:2])
    assert len(Parquet(tmp_path / "set")) == 2


def test_the_images_are_no_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=PNGS[:2], label=[0, 1])
    with pytest.raises(ConfigError, match=r"^dataset\.labels=image: that column holds the images; name the one"):
        labels(Parquet(path, labels="image"))


def test_columns_of_attributes(tmp_path: Path) -> None:
    """Over row groups and files, in the order in which they are named; what is called labels stays out."""
    columns = {"label": [0] * 6, "old": [1, -1, -1, 1, 1, 1], "hat": [False, True, False, True, True, False]}
    write(tmp_path / "x" / "a.parquet", image=PNGS, **columns)
    write(tmp_path / "x" / "b.parquet", image=PNGS[:1], label=[1], old=[-1], hat=[True])
    source = Parquet(tmp_path / "x", attributes=["hat", "old"])
    assert (source.classes, source.attributes) == (None, ["hat", "old"])
    assert labels(source) == [(0, 1), (1, 0), (0, 0), (1, 1), (1, 1), (0, 1), (1, 0)]
    assert source.identity != Parquet(tmp_path / "x").identity
    for options, told in (
        ({"attributes": ["hut"]}, "has no column hut .*; nearest: hat"),
        ({"attributes": ["image"]}, "row 0 of .* attributes are 0 and 1"),
        ({"attributes": ["hat"], "labels": "label"}, "dataset.labels=label: attributes take the place of labels"),
    ):
        with pytest.raises(ConfigError, match=told):
            labels(Parquet(tmp_path / "x", **options))  # type: ignore[arg-type]
