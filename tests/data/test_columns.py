"""Stores with more than images and labels: inputs of a shape of their own, and captions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.card import CARD, Column
from gan_lab.data.packing import pack
from gan_lab.data.sources.images import fit
from gan_lab.data.sources.source import Example
from gan_lab.data.store import Store, StoreError
from gan_lab.data.tokens import Words
from gan_lab.errors import GanLabError

from .conftest import Array

SHAPE = (3, 4, 4)


class Everything(Array):
    """Random images with an input of half their size, in gray, and one or two captions; `without` misses a column."""

    def __init__(self, count: int = 5, without: dict[int, str] | None = None) -> None:
        super().__init__(count, SHAPE)
        self.inputs = np.random.default_rng(1).integers(0, 256, (count, 1, 2, 2), np.uint8)
        self.said: Sequence[Sequence[str]] = [("a red one", f"one {index}")[: 1 + index % 2] for index in range(count)]
        self.without = without or {}

    def examples(self) -> Iterator[Example]:
        for index, ((name, image, label), one, said) in enumerate(zip(self, self.inputs, self.said, strict=True)):
            example = Example(name, image, label, one, said)
            missing = self.without.get(index)
            yield example._replace(**{missing: {"captions": ["!"]}.get(missing)}) if missing else example


def packed(root: Path, **more: Any) -> Store:
    return pack(
        Everything(**more), SHAPE, "crop", root / "all-4x4x3-0", "all", input_shape=(1, 2, 2), tokenizer=Words(length=4)
    )


def test_every_column_is_there_as_the_source_had_it(root: Path) -> None:
    store = packed(root)
    source = Everything()
    np.testing.assert_array_equal(store.images, source.images)
    assert store.inputs is not None
    np.testing.assert_array_equal(store.inputs, source.inputs)
    assert store.labels is not None
    assert store.labels.tolist() == [0, 1, 2, 0, 1]
    assert store.words == ["one", "a", "red", "1", "3"]  # of three captions alike, and two with a number
    assert store.captions is not None
    assert store.captions.dtype == np.int64
    assert store.captions[0].tolist() == [[3, 4, 2, 0], [0, 0, 0, 0]]
    assert store.captions[3].tolist() == [[3, 4, 2, 0], [2, 6, 0, 0]]
    assert store.input_shape == (1, 2, 2)
    assert store.nbytes == 5 * (48 + 4 + 2 * 4 * 8)
    store.verify()


def test_the_card_names_the_columns(root: Path) -> None:
    store = packed(root)
    card = json.loads((store.folder / CARD).read_text())
    assert card["version"] == 2
    assert card["columns"] == {
        "image": {"dtype": "uint8", "shape": [3, 4, 4]},
        "label": {"dtype": "int64", "shape": []},
        "input": {"dtype": "uint8", "shape": [1, 2, 2]},
        "caption": {"dtype": "int64", "shape": [2, 4]},
    }
    assert sorted(os.listdir(store.folder)) == ["captions.i64", CARD, "images.u8", "inputs.u8", "labels.i64"]
    assert list(store.columns) == ["image", "label", "input", "caption"]
    assert store.columns["caption"] == Column("int64", (2, 4))


def test_the_checksum_is_of_every_column(root: Path) -> None:
    """Another byte in any of them is found, and two stores that differ in one column are two."""
    store = packed(root)
    plain = pack(Array(5, SHAPE), SHAPE, "crop", root / "plain-4x4x3-0", "plain")
    assert store.sha256 != plain.sha256
    for name in ("images.u8", "inputs.u8", "labels.i64", "captions.i64"):
        path = store.folder / name
        before = path.read_bytes()
        path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        with pytest.raises(StoreError, match="not those that were packed"):
            Store(store.folder).verify()
        path.write_bytes(before)
    Store(store.folder).verify()


def test_inputs_are_fitted_to_a_shape_of_their_own(root: Path) -> None:
    class Large(Everything):
        def examples(self) -> Iterator[Example]:
            picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
            return (example._replace(input=picture, captions=()) for example in super().examples())

    expected = next(Large().examples()).input
    assert expected is not None
    for shape in ((1, 2, 2), None):
        store = pack(Large(), SHAPE, "crop", root / f"large-4x4x3-{shape is None}", "large", input_shape=shape)
        assert store.inputs is not None
        assert store.captions is None
        assert store.input_shape == (shape or SHAPE)
        np.testing.assert_array_equal(store.inputs[0], fit(expected, shape or SHAPE, "crop"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ({2: "input"}, r"^image 2: has no input, others have one; nothing was packed$"),
        ({0: "input"}, r"^image 1: has an input, others have none; nothing was packed$"),
        ({3: "captions"}, r"^dataset: 1 of 5 pictures of random images 0 have no caption \(image 3\)"),
    ],
)
def test_a_column_is_of_every_example(root: Path, without: dict[int, str], told: str) -> None:
    with pytest.raises(GanLabError, match=told):
        packed(root, without=without)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", ["inputs.u8", "captions.i64"])
def test_a_column_of_the_wrong_size_is_found_when_opened(name: str, root: Path) -> None:
    store = packed(root)
    path = store.folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=rf"{name} has \d+ bytes instead of"):
        Store(store.folder)


@pytest.mark.parametrize(
    "change",
    [
        {"columns": None},
        {"columns": {}},
        {"columns": {"mask": {"dtype": "uint8", "shape": [1, 4, 4]}}},
        {"columns": {"input": {"dtype": "int64", "shape": [1, 2, 2]}}},
        {"columns": {"input": {"dtype": "uint8", "shape": [2, 2]}}},
        {"columns": {"caption": {"dtype": "int64", "shape": [0, 4]}}},
        {"columns": {"image": {"dtype": "uint8", "shape": [3, 2, 8]}}},
        {"classes": None},
        {"words": None},
        {"version": 3},
    ],
)
def test_a_card_whose_columns_cannot_be_is_refused(change: dict[str, Any], root: Path) -> None:
    path = packed(root).folder / CARD
    card = json.loads(path.read_text())
    columns = card["columns"] | (change.get("columns") or {}) if change.get("columns") else None
    path.write_text(json.dumps(card | change | ({"columns": columns} if columns else {})))
    with pytest.raises(StoreError, match="repack it"):
        Store(path.parent)
