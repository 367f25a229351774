from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources.pairs import Pairs
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import encoded, noise, write_tree, write_zip

WRITERS = {"tree": write_tree, "zip": write_zip}


def sets(tmp_path: Path, kind: str = "tree", suffix: str = "") -> dict[str, Any]:
    """Pictures 0 to 2 of either set, in class folders; those of a are 10 and more levels, those of b 100 and more."""
    where = {}
    for letter, first in (("a", 10), ("b", 100)):
        members = {
            f"train/{index % 2}/{index}.{'png' if letter == 'a' else 'bmp'}": encoded(
                Image.new("L", (6, 4), first + index), "PNG" if letter == "a" else "BMP"
            )
            for index in range(3)
        }
        where[f"path_{letter}"] = WRITERS[kind](
            tmp_path / f"{letter}{suffix or ('.zip' if kind == 'zip' else '')}", members
        )
    return where


def levels(source: Pairs) -> list[tuple[int, int]]:
    """Of each example the level of input and image."""
    return [(int(np.asarray(e.input)[0, 0]), int(np.asarray(e.image)[0, 0])) for e in source.examples()]


@pytest.mark.parametrize("kind", WRITERS)
def test_two_folders_are_matched_by_name(kind: str, tmp_path: Path) -> None:
    """Whatever their suffixes; the labels are those of the images, and the direction says which they are."""
    given = sets(tmp_path, kind)
    there, back = Pairs(**given), Pairs(**given, direction="b2a")
    assert levels(there) == [(10, 100), (12, 102), (11, 101)]
    assert levels(back) == [(100, 10), (102, 12), (101, 11)]
    assert [example.name for example in there.examples()] == ["train/0/0.bmp", "train/0/2.bmp", "train/1/1.bmp"]
    assert there.classes == ["0", "1"]
    assert [label for _, _, label in there] == [0, 0, 1]
    assert len(there) == 3
    assert there.channels == 1
    assert there.identity != back.identity
    assert Pairs(**given).identity == there.identity


def test_folders_inside_of_one_zip(tmp_path: Path) -> None:
    members = {f"all/{side}/{n}.png": encoded(Image.new("L", (4, 4), n)) for side in "xy" for n in (1, 2)}
    path = write_zip(tmp_path / "all.zip", {**members, "all/z/1.png": b"", "all/xs/3.png": b""})
    source = Pairs(path_a=path / "all" / "x", path_b=path / "all" / "y")
    assert levels(source) == [(1, 1), (2, 2)]
    assert "all.zip/all/x" in source.describe()
    assert source.identity != Pairs(path_a=path / "all" / "y", path_b=path / "all" / "x").identity
    with pytest.raises(ConfigError, match=r"^dataset\.path_a: there is no all/w with images in .*all\.zip$"):
        len(Pairs(path_a=path / "all" / "w", path_b=path / "all" / "y"))
    with pytest.raises(ConfigError, match=r"^dataset\.path_b: .*nowhere does not exist$"):
        len(Pairs(path_a=path / "all" / "x", path_b=tmp_path / "nowhere"))


def test_pictures_without_a_partner_are_named(tmp_path: Path) -> None:
    given = sets(tmp_path)
    write_tree(given["path_a"], {"train/0/6.png": encoded(noise(4, 4))})
    write_tree(given["path_b"], {"train/1/9.png": encoded(noise(4, 4))})
    with pytest.raises(
        ConfigError,
        match=r"^dataset\.path_a, dataset\.path_b: 2 of 8 pictures have no partner of their name \(train/0/6\.png of "
        r"dataset\.path_a; train/1/9\.png of dataset\.path_b\); leave them out with dataset\.max_unmatched=2, or name "
        r"them alike$",
    ):
        len(Pairs(**given, max_unmatched=1))
    assert levels(Pairs(**given, max_unmatched=2)) == levels(Pairs(**sets(tmp_path / "again")))


def test_two_sets_without_any_pair_are_refused(tmp_path: Path) -> None:
    path_a = write_tree(tmp_path / "a", {"1.png": encoded(noise(4, 4))})
    path_b = write_tree(tmp_path / "b", {"2.png": encoded(noise(4, 4))})
    with pytest.raises(ConfigError, match=r"2 of 2 pictures have no partner of their name .*; name them alike$"):
        len(Pairs(path_a=path_a, path_b=path_b, max_unmatched=9))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    given = sets(tmp_path)
    write_tree(given["path_a"], {"train/0/0.jpg": encoded(noise(4, 4), "JPEG")})
    with pytest.raises(ConfigError, match=r"^dataset\.path_a: train/0/0\.jpg and train/0/0\.png have one name"):
        len(Pairs(**given))


def test_a_pair_with_an_unreadable_half_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = sets(tmp_path)
    (given["path_a"] / "train/0/0.png").write_bytes(b"no picture")
    with pytest.raises(
        GanLabError, match=r"1 of 3 files cannot be read .* dataset\.max_corrupt=1; nothing was packed$"
    ):
        levels(Pairs(**given))
    with caplog.at_level(logging.WARNING):
        assert levels(Pairs(**given, max_corrupt=1)) == [(12, 102), (11, 101)]
    assert "1 of 3 files cannot be read as images and are left out (train/0/0.bmp: " in caplog.text


def side_by_side(path: Path, width: int = 8) -> Path:
    picture = Image.new("RGB", (width, 3), "red")
    picture.paste("blue", (width // 2, 0, width, 3))
    return write_tree(path, {f"val/{n}.png": encoded(picture) for n in (0, 1)})


@pytest.mark.parametrize("direction", ["a2b", "b2a"])
def test_halves_of_a_picture(direction: str, tmp_path: Path) -> None:
    """a is on the left: red becomes blue."""
    path = side_by_side(tmp_path / "both")
    source = Pairs(path, split="val", direction=direction, layout="side_by_side")
    for example in source.examples():
        sizes = [picture.size for picture in (example.input, example.image)]  # type: ignore[union-attr]
        assert sizes == [(4, 3), (4, 3)]
        found = [np.asarray(picture).reshape(-1, 3).tolist() for picture in (example.input, example.image)]
        red_blue = [[[255, 0, 0]] * 12, [[0, 0, 255]] * 12]
        assert found == (red_blue if direction == "a2b" else red_blue[::-1])
    assert (len(source), source.channels, source.classes) == (2, 3, None)
    assert Pairs(path, split="val").identity == Pairs(path, split="val", layout="side_by_side").identity


def test_halves_need_an_even_width(tmp_path: Path) -> None:
    with pytest.raises(GanLabError, match=r"^val/0\.png: 7 pixels wide; two pictures side by side are even"):
        list(Pairs(side_by_side(tmp_path / "odd", width=7), split="val"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, r"^dataset\.path_a, dataset\.path_b: say where the pairs are"),
        ({"path_a": "a"}, r"^dataset\.path_a, dataset\.path_b: say where the pairs are"),
        ({"path": "x", "path_a": "a", "path_b": "b"}, r"^dataset\.path: pictures side by side lie under one path"),
        ({"path": "x", "layout": "folders"}, r"^dataset\.path_a, dataset\.path_b: say where"),
        ({"path_a": "a", "path_b": "b", "layout": "side_by_side"}, r"^dataset\.path: pictures side by side"),
        ({"path": "x", "layout": "rows"}, r"^dataset\.layout=rows: choose folders or side_by_side, or null$"),
        ({"path": "x", "direction": "a"}, r"^dataset\.direction=a: choose a2b or b2a$"),
        ({"path": "x", "max_unmatched": -1}, r"^dataset\.max_unmatched=-1: how many"),
    ],
)
def test_what_makes_no_layout_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Pairs(**given)


def test_packed_pairs(tmp_path: Path) -> None:
    """Inputs have the shape of the images, or one of their own, which makes another store."""
    given = sets(tmp_path)

    def packed(**more: Any) -> Any:
        return Dataset("pairs", ["auto", 4, 4], reader=Pairs, **given, **more).open()

    store = packed()
    assert (store.shape, store.input_shape, store.classes) == ((1, 4, 4), (1, 4, 4), ["0", "1"])
    assert store.inputs[:, 0, 0, 0].tolist() == [10, 12, 11]
    assert store.images[:, 0, 0, 0].tolist() == [100, 102, 101]
    small = packed(input_shape=[3, 2, 2])
    assert (small.shape, small.input_shape) == ((1, 4, 4), (3, 2, 2))
    assert small.folder != store.folder
    assert packed(direction="b2a").folder != store.folder
