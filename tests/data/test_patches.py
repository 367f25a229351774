"""Large pictures in squares: where they lie, what belongs together, and what the card says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.card import CARD
from gan_lab.data.dataset import Dataset
from gan_lab.data.packing import pack
from gan_lab.data.patches import Patch
from gan_lab.data.sources.source import Example, Source
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError


class Large(Source):
    """Pictures (height, width) whose every pixel is told by where it is; `factor` times smaller (or, where below 1,
    larger) ones of the same as inputs, with `more` pixels beyond."""

    classes = ["x", "y"]  # noqa: RUF012

    def __init__(self, sizes: Sequence[tuple[int, int]], factor: float = 0, more: int = 0) -> None:
        self.sizes, self.factor, self.more = sizes, factor, more

    @property
    def identity(self) -> str:
        return f"large:{self.sizes}:{self.factor}:{self.more}"

    def describe(self) -> str:
        return "large pictures"

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Any]:
        return ((example.name, example.image, example.label) for example in self.examples())

    def examples(self) -> Iterator[Example]:
        for index, (height, width) in enumerate(self.sizes):
            image = _numbered(height, width)
            other = None
            if self.factor >= 1:
                other = _numbered(height // int(self.factor), width // int(self.factor))
                image = np.pad(other.repeat(int(self.factor), 1).repeat(int(self.factor), 2), _beyond(self.more))
            elif self.factor:
                scale = round(1 / self.factor)
                other = np.pad(image.repeat(scale, 1).repeat(scale, 2), _beyond(self.more))
            yield Example(f"{index}.png", image, index % 2, other, ["said"] if index else ["said", "twice"])


def _numbered(height: int, width: int) -> np.ndarray[Any, Any]:
    return (np.arange(height)[:, None] * 16 + np.arange(width)).astype(np.uint8)[None]


def _beyond(more: int) -> list[tuple[int, int]]:
    return [(0, 0), (0, more), (0, more)]


@pytest.mark.parametrize(
    ("size", "stride", "length", "expected"),
    [
        (4, 2, 8, [0, 2, 4]),
        (4, 2, 9, [0, 2, 4, 5]),
        (4, 4, 10, [0, 4, 6]),
        (4, 4, 4, [0]),
        (4, 1, 5, [0, 1]),
        (4, 2, 3, []),
    ],
)
def test_the_last_square_ends_at_the_border(size: int, stride: int, length: int, expected: list[int]) -> None:
    assert Patch(size, stride).places(length) == expected


def packed(root: Path, source: Source, patch: Patch, **more: Any) -> Store:
    shape = (1, patch.size, patch.size)
    return pack(source, shape, "crop", root / "large-4x4x1-0", "large", patch=patch, **more)


def test_pictures_are_cut_and_never_resized(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Row by row, each square bit for bit; label and captions are those of its picture. One that is too small is left
    out with a warning."""
    with caplog.at_level(logging.WARNING):
        store = packed(root, Large([(4, 6), (3, 9), (5, 4)]), Patch(4, 2))
    whole = [_numbered(4, 6)[0], _numbered(5, 4)[0]]
    expected = [whole[0][:, 0:4], whole[0][:, 2:6], whole[1][0:4], whole[1][1:5]]
    np.testing.assert_array_equal(store.images[:, 0], expected)
    assert store.labels is not None
    assert store.captions is not None
    assert store.labels.tolist() == [0, 0, 0, 0]
    assert (store.captions[:, 1] > 0).any(1).tolist() == [True, True, False, False]
    card = json.loads((store.folder / CARD).read_text())
    assert card["patch"] == {"size": 4, "stride": 2, "pictures": {"0.png": 2, "1.png": 0, "2.png": 2}}
    assert card["count"] == 4
    assert "1 of 3 pictures are smaller than dataset.patch.size=4 and are left out (1.png)" in caplog.text
    store.verify()


def test_nothing_but_small_pictures(root: Path) -> None:
    told = r"^dataset: large pictures: 2 of 2 pictures are smaller than dataset\.patch\.size=4; take smaller patches$"
    with pytest.raises(ConfigError, match=told):
        packed(root, Large([(3, 6), (6, 3)]), Patch(4, 2))


@pytest.mark.parametrize("more", [0, 1])
def test_inputs_are_cut_where_their_images_are(more: int, root: Path) -> None:
    """Inputs of half the size decide, as their pixels are the larger ones; what the image has beyond is left out."""
    store = packed(root, Large([(10, 12)], factor=2, more=more), Patch(4, 4), input_shape=(1, 2, 2))
    assert store.inputs is not None
    assert len(store) == 3 * 3
    np.testing.assert_array_equal(store.images, store.inputs.repeat(2, 2).repeat(2, 3))
    small = _numbered(5, 6)[0]
    np.testing.assert_array_equal(store.inputs[:3, 0], [small[0:2, 0:2], small[0:2, 2:4], small[0:2, 4:6]])
    np.testing.assert_array_equal(store.inputs[6, 0], small[3:5, 0:2])


def test_inputs_may_be_larger_or_of_the_same_size(root: Path) -> None:
    store = packed(root, Large([(5, 6)], factor=1 / 3, more=2), Patch(4, 1), input_shape=(1, 12, 12))
    assert store.inputs is not None
    assert len(store) == 2 * 3
    np.testing.assert_array_equal(store.images.repeat(3, 2).repeat(3, 3), store.inputs)
    same = pack(Large([(5, 6)], factor=1), (1, 4, 4), "crop", root / "same-4x4x1-0", "same", patch=Patch(4, 1))
    assert same.inputs is not None
    np.testing.assert_array_equal(same.images, same.inputs)


@pytest.mark.parametrize("factor", [2, 0.5])
def test_pairs_of_two_forms_are_refused(factor: float, root: Path) -> None:
    shape = (1, 2, 2) if factor == 2 else (1, 8, 8)
    told = r"^0\.png: an image of .* and an input of .*, where one should be 2 times the other; nothing was packed$"
    with pytest.raises(GanLabError, match=told):
        packed(root, Large([(8, 8)], factor=factor, more=2), Patch(4, 4), input_shape=shape)


def test_a_dataset_in_patches(root: Path) -> None:
    """Their size is the image's, and size and stride make another store."""

    def dataset(**patch: int) -> Dataset:
        return Dataset("large", [1, 7, 7], Large([(8, 8)]), patch=patch or None)

    assert dataset(size=4).image_shape == (1, 4, 4)
    assert [len(dataset(**patch).open()) for patch in ({"size": 4}, {"size": 4, "stride": 2}, {"size": 8})] == [4, 9, 1]
    assert dataset().open().shape == (1, 7, 7)
    assert len(list(root.iterdir())) == 4
