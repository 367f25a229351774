from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.inspection import inspection
from gan_lab.data.inspection.inspection import (
    balance,
    contact_sheet,
    duplicates,
    histogram,
    moments,
    pair_sheet,
    shows_pictures,
)
from gan_lab.data.inspection.near_duplicates import Pair
from gan_lab.data.packing import pack
from gan_lab.data.store import Store
from tests.data.conftest import Array


def store_of(source: Array, root: Path) -> Store:
    shape = source.images.shape[1:]
    return pack(source, shape, "crop", root / "array-0-0", "array")


@pytest.mark.parametrize("chunk", [1, 100, 10**9])
def test_moments_and_duplicates(chunk: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "CHUNK_BYTES", chunk)
    source = Array(12, (3, 4, 5))
    source.images[7] = source.images[11] = source.images[2]
    source.images[9] = source.images[3]
    store = store_of(source, root)
    mean, std = moments(store)
    scaled = source.images / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 2, 3)), rtol=1e-12)
    assert duplicates(store) == 3


def test_histogram_is_in_class_order(root: Path) -> None:
    assert list(histogram(store_of(Array(10), root)).items()) == [("a", 4), ("b", 3), ("c", 3)]


def test_contact_sheet_shows_a_row_per_class(root: Path) -> None:
    """Each image is one colour, so the middle of each cell must be that colour."""
    source = Array(40, (3, 16, 16))
    source.images[:] = np.random.default_rng(0).integers(0, 256, (40, 3, 1, 1), np.uint8)
    sheet = contact_sheet(store_of(source, root))
    cell = 66
    margin = sheet.width - 10 * cell
    assert sheet.height == 3 * cell
    for label in range(3):
        for column in range(10):
            pixel = sheet.getpixel((margin + column * cell + 32, label * cell + 32))
            assert pixel == tuple(source.images[3 * column + label, :, 0, 0].tolist())
        strip = np.asarray(sheet.crop((0, label * cell, margin, (label + 1) * cell)))
        assert strip.min() < 128  # the name


def test_contact_sheet_without_labels_and_of_large_gray_images(root: Path) -> None:
    class Unlabelled(Array):
        def __iter__(self):  # type: ignore[no-untyped-def]
            return ((name, image, None) for name, image, _ in super().__iter__())

    source = Unlabelled(13, (1, 600, 300))
    source.images[:] = np.arange(13, dtype=np.uint8)[:, None, None, None] * 10
    sheet = contact_sheet(store_of(source, root))
    assert sheet.size == (10 * 152, 2 * 302)
    assert [sheet.getpixel((152 * (i % 10) + 75, 302 * (i // 10) + 150)) for i in range(13)] == [
        (10 * i,) * 3 for i in range(13)
    ]


def test_pair_sheet_shows_both_images_in_a_row(root: Path) -> None:
    source = Array(40, (3, 16, 16))
    source.images[:] = np.random.default_rng(0).integers(0, 256, (40, 3, 1, 1), np.uint8)
    sheet = pair_sheet(store_of(source, root), [Pair(index, 39 - index, 0.0) for index in range(30)])
    cell = 66
    margin = sheet.width - 2 * cell
    assert sheet.height == inspection.PAIRS * cell
    for row in range(inspection.PAIRS):
        for column, index in enumerate((row, 39 - row)):
            pixel = sheet.getpixel((margin + column * cell + 32, row * cell + 32))
            assert pixel == tuple(source.images[index, :, 0, 0].tolist())


def test_balance() -> None:
    assert balance({"a": 30, "b": 0, "c": 4}) == (7.5, ["b"])
    assert balance({"a": 3}) == (1.0, [])


@pytest.mark.parametrize("chunk", [1, 10**9])
def test_a_store_of_floats_has_moments_but_no_pictures(chunk: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "CHUNK_BYTES", chunk)
    store = store_of(Array(12, (3, 1, 1)), root)
    floats = np.random.default_rng(0).uniform(-1, 1, (12, 3, 1, 1)).astype(np.float32)
    floats[5] = floats[2]
    store.images = floats
    store.card["dtype"] = "float32"
    assert not shows_pictures(store)
    mean, std = moments(store)
    np.testing.assert_allclose(mean, floats.astype(np.float64).mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, floats.astype(np.float64).std(axis=(0, 2, 3)), rtol=1e-6)
    assert duplicates(store) == 1
