from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_lab.data.card import CARD, IMAGES, LABELS, POINTS
from gan_lab.data.packing import pack
from gan_lab.data.store import Store, StoreError, data_root

from .conftest import Array


@pytest.fixture
def folder(root: Path) -> Path:
    return pack(Array(10), (3, 4, 4), "crop", root / "array-4x4x3-0", "array").folder


def test_data_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAN_LAB_DATA", "here")
    assert data_root() == tmp_path / "here"
    monkeypatch.setenv("GAN_LAB_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root() == tmp_path / "cache" / "gan-lab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_root() == tmp_path / "home" / ".cache" / "gan-lab"


def test_what_a_store_says(folder: Path) -> None:
    store = Store(folder)
    assert (store.name, store.shape, len(store)) == ("array", (3, 4, 4), 10)
    assert (store.classes, store.num_classes, store.nbytes) == (["a", "b", "c"], 3, 480)
    assert store.labels is not None
    assert store.labels.tolist() == [index % 3 for index in range(10)]
    np.testing.assert_array_equal(store.images, Array(10).images)
    assert isinstance(store.images, np.memmap)
    assert not store.images.flags.writeable
    store.verify()


def test_read_gives_images_as_a_batch_has_them(folder: Path) -> None:
    images = Store(folder).read([7, 0, 7])
    assert images.dtype == torch.float32
    assert torch.equal(images, torch.from_numpy(Array(10).images[[7, 0, 7]]).float() / 127.5 - 1)
    images.zero_()
    assert Store(folder).read(np.array([1])).abs().sum() > 0
    assert Store(folder).read([]).shape == (0, 3, 4, 4)


def test_a_store_of_floats(folder: Path) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (10, 2, 1, 1)).astype("<f4")
    (folder / POINTS).write_bytes(values.tobytes())
    card = json.loads((folder / CARD).read_text()) | {"dtype": "float32", "shape": [2, 1, 1]}
    (folder / CARD).write_text(json.dumps(card))
    store = Store(folder)
    assert (store.dtype, store.nbytes) == ("float32", 80)
    assert torch.equal(store.read([3, 4]), torch.from_numpy(values[3:5]))
    (folder / POINTS).write_bytes(values.tobytes()[:-1])
    with pytest.raises(StoreError, match=r"images\.f32 has 79 bytes instead of 80"):
        Store(folder)


def test_a_file_that_is_cut_short_while_it_is_open_is_one_line(folder: Path) -> None:
    """To read what is gone would end the process by SIGBUS."""
    store = Store(folder)
    size = (folder / IMAGES).stat().st_size
    store.check_mapped()
    os.truncate(folder / IMAGES, size - 1)
    message = rf"images\.u8 has {size - 1} bytes instead of {size}, and had them before; repack it"
    for act in (lambda: store.read([0]), lambda: store.expect(np.zeros(1, np.int64)), lambda: list(store.chunks(10))):
        with pytest.raises(StoreError, match=message):
            act()


def test_verify_finds_a_changed_pixel(folder: Path) -> None:
    data = bytearray((folder / IMAGES).read_bytes())
    data[100] ^= 1
    (folder / IMAGES).write_bytes(data)
    with pytest.raises(StoreError, match="not those that were packed"):
        Store(folder).verify()


def assert_says_how_to_repack(error: pytest.ExceptionInfo[StoreError], folder: Path) -> None:
    message = str(error.value)
    assert message.startswith(f"store {folder}: ")
    repack = "repack it (gan-lab data pack dataset=array ... force=true)"
    assert message.endswith(f"{repack} or remove it (gan-lab data remove {folder.name})")
    assert "\n" not in message


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("size", [0, 79, 1000, None])
def test_a_file_of_the_wrong_size_is_found_when_opened(name: str, size: int | None, folder: Path) -> None:
    if size is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(b"x" * size)
    with pytest.raises(StoreError, match=rf"{name} has {size or 0} bytes instead of \d+") as caught:
        Store(folder)
    assert_says_how_to_repack(caught, folder)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"dtype": "float64"},
        {"shape": [3, 4]},
        {"shape": [3, -4, -4]},
        {"shape": [3, 4.0, 4]},
        {"count": True},
        {"count": "10"},
        {"classes": 3},
        {"sha256": None},
    ],
)
def test_a_card_that_is_wrong_is_refused(change: dict[str, Any], folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | change))
    with pytest.raises(StoreError) as caught:
        Store(folder)
    assert_says_how_to_repack(caught, folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_card_that_is_no_card_is_refused(text: str, folder: Path) -> None:
    (folder / CARD).write_text(text)
    with pytest.raises(StoreError) as caught:
        Store(folder)
    assert_says_how_to_repack(caught, folder)


def test_labels_beyond_the_classes_are_refused(folder: Path) -> None:
    np.full(10, 3, "<i8").tofile(folder / LABELS)
    with pytest.raises(StoreError, match="names classes that the card does not have"):
        Store(folder)


def test_images_may_be_expected(folder: Path) -> None:
    """Advice to the system, for whatever place in the file and more often than there are pages."""
    store = Store(folder)
    before = store.read(range(len(store)))
    store.expect(np.array([0, len(store) - 1, 0]))
    assert torch.equal(store.read(range(len(store))), before)
