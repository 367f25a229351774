"""Labels that are not there: whatever reads the images, those without one are named, and how to do without."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources.arrays import Arrays
from gan_lab.data.sources.parquet import Parquet
from gan_lab.errors import ConfigError

from .conftest import encoded, noise, write_tree, write_zip

PNGS = [encoded(noise(8, 8, seed=seed)) for seed in range(5)]
STRAY = {f"{name}/{place}.png": PNGS[place] for name in ("cat", "dog") for place in range(2)} | {"cover.png": PNGS[4]}


def dataset(path: Path, reader: Any = None, **more: Any) -> Dataset:
    return Dataset("mine", ["auto", 8, 8], path=str(path), reader=reader, **more)


def stray_tree(path: Path) -> Dataset:
    return dataset(write_tree(path / "pictures", STRAY))


def stray_zip(path: Path) -> Dataset:
    return dataset(write_zip(path / "pictures.zip", STRAY))


def null_in_parquet(path: Path) -> Dataset:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"image": PNGS, "label": [None, 1, 0, 1, 0]}), path / "x.parquet")
    return dataset(path / "x.parquet", Parquet)


def nan_in_arrays(path: Path) -> Dataset:
    labels = np.array([np.nan, 1, 0, 1, 0])
    np.savez(path / "x.npz", images=np.zeros((5, 8, 8, 3), np.uint8), labels=labels)
    return dataset(path / "x.npz", Arrays)


@pytest.mark.parametrize(
    ("make", "name"),
    [(stray_tree, "cover.png"), (stray_zip, "cover.png"), (null_in_parquet, "row 0"), (nan_in_arrays, "row 0")],
)
def test_images_without_a_label_are_named_whenever_the_data_is_opened(
    make: Any, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made: Dataset = make(tmp_path)
    for _ in range(2):  # packed, and found
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            store = made.pack()
        assert (len(store), store.classes, store.labels) == (5, None, None)
        [told] = caplog.messages
        assert f"1 of 5 images have no label ({name})" in told
        assert "dataset.labels=none" in told
    with pytest.raises(ConfigError, match=r"^dataset\.num_classes=2: 1 of 5 images have no label"):
        dataset(Path(str(made.path)), made.reader, num_classes=2).pack()
    made.labels = "none"
    made.__dict__.pop("folder", None)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert made.pack().classes is None
    assert not caplog.messages


@pytest.mark.parametrize("make", [null_in_parquet, nan_in_arrays])
def test_labels_that_are_asked_for_by_name_must_be_there(make: Any, tmp_path: Path, root: Path) -> None:
    made: Dataset = make(tmp_path)
    made.labels = "label" if make is null_in_parquet else "labels"
    with pytest.raises(ConfigError, match=r"1 of 5 images have no label \(row 0\)"):
        made.pack()
    assert not list(root.glob("[!.]*"))


@pytest.mark.parametrize("cells", [[[1], [0], [1], [0], [1]], [{"a": 1}] * 5, [0.5, 1, 2, 1, 2]])
def test_labels_that_are_no_labels_are_one_line(cells: list[Any], tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"image": PNGS, "label": cells}), tmp_path / "x.parquet")
    with pytest.raises(ConfigError, match=r"label: labels are whole numbers or words, one of each image; row 0 has "):
        dataset(tmp_path / "x.parquet", Parquet).pack()


def test_classes_that_look_like_mistakes_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tree(tmp_path / "pictures", {f"{name}/a.png": PNGS[0] for name in ("Cat", "cat", "NaN")})
    with caplog.at_level(logging.WARNING):
        assert dataset(path).pack().classes == ["Cat", "NaN", "cat"]
    assert ["of the class NaN;" in caplog.text, "Cat and cat are different" in caplog.text] == [True, True]
