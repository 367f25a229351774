"""What a line says of the pictures' sizes: those on disk, how many are enlarged, how many fitting cuts or bends."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.sizes import Sizes, tell_sizes
from gan_lab.data.sources.pairs import Pairs

from .conftest import encoded, noise, write_tree


@pytest.mark.parametrize(
    ("size", "how", "enlarged", "unlike"),
    [
        ((8, 8), "crop", 0, 0),
        ((7, 8), "crop", 1, 0),
        ((7, 9), "pad", 0, 0),
        ((7, 7), "pad", 1, 0),
        ((9, 7), "stretch", 1, 0),
        ((1, 1), "crop", 1, 0),
        ((4000, 2), "crop", 1, 1),
        ((4000, 2), "pad", 0, 1),
        ((16, 8), "crop", 0, 0),
        ((17, 8), "crop", 0, 1),
        ((8, 17), "stretch", 0, 1),
        ((500, 500), "crop", 0, 0),
    ],
)
def test_one_picture(size: tuple[int, int], how: str, enlarged: int, unlike: int) -> None:
    sizes = Sizes((3, 8, 8), how)
    sizes.add(noise(*size))
    assert sizes.card() == {
        "smallest": size, "largest": size, "pictures": 1, "enlarged": enlarged, "unlike": unlike
    }  # fmt: skip


def test_the_line_is_said_when_packing_and_shown_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sides = {"a": (1, 1), "b": (4000, 2), "c": (16, 16), "d": (300, 200)}
    path = write_tree(tmp_path / "x", {f"{name}.png": encoded(noise(*side)) for name, side in sides.items()})
    data = Dataset("x", [3, 16, 16], path=str(path))
    with caplog.at_level(logging.WARNING):
        store = data.pack()
        data.pack()
    line = "1x1 to 300x200 on disk, 2 of 4 are enlarged, 1 of 4 lose more than half to dataset.fit=crop (pad keeps all)"
    assert caplog.messages == [f"dataset: images become 16x16: {line}"]
    assert tell_sizes(store.card) == line


def test_pictures_that_are_large_enough_are_shown_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tree(tmp_path / "x", {"a.png": encoded(noise(20, 16))})
    with caplog.at_level(logging.WARNING):
        store = Dataset("x", [3, 16, 16], path=str(path)).pack()
    assert not caplog.messages
    assert tell_sizes(store.card) == "20x16 on disk"
    squares = Dataset("x", [3, 16, 16], path=str(path), patch={"size": 8, "stride": 8}).pack()
    assert tell_sizes(squares.card) is None


def test_inputs_have_sizes_of_their_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = {
        f"path_{side}": str(write_tree(tmp_path / side, {"1.png": encoded(noise(width, width))}))
        for side, width in (("a", 4), ("b", 8))
    }
    data = Dataset("x", [3, 8, 8], reader=Pairs, **paths)
    with caplog.at_level(logging.WARNING):
        store = data.pack()
    assert caplog.messages == ["dataset: inputs become 8x8: 4x4 on disk, 1 of 1 are enlarged"]
    assert tell_sizes(store.card, "input_sizes") == "4x4 on disk, 1 of 1 are enlarged"
