from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.sources.unpaired import Domain
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, write_tree, write_zip

WRITERS = {"tree": write_tree, "zip": write_zip}


def members(*folders: str) -> dict[str, bytes]:
    """A picture in each folder, whose level is the place of the folder."""
    return {f"{folder}/{n}.png": encoded(Image.new("L", (4, 4), n)) for n, folder in enumerate(folders)}


def seen(source: Domain) -> list[int]:
    return [int(np.asarray(image)[0, 0]) for _, image, _ in source]


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("folders", "split", "expected"),
    [
        (("trainA", "trainB", "testA", "testB"), "train", (0, 1)),
        (("trainA", "trainB", "testA", "testB"), "test", (2, 3)),
        (("train_A", "train_B"), "train", (0, 1)),
        (("horse2zebra/trainA", "horse2zebra/trainB"), "train", (0, 1)),
        (("A", "B"), "train", (0, 1)),
        (("A/train", "A/test", "B/train", "B/test"), "test", (1, 3)),
        (("validA", "validB", "trainA"), "val", (0, 1)),
    ],
)
def test_two_sets_under_one_path(
    kind: str, folders: tuple[str, ...], split: str, expected: tuple[int, int], tmp_path: Path
) -> None:
    """Images are those of b unless the direction is the other one; inputs are the rest."""
    path = WRITERS[kind](tmp_path / f"both{'.zip' if kind == 'zip' else ''}", members(*folders))
    a, b = expected
    sides = {
        (direction, inputs): Domain(path, split, direction=direction, inputs=inputs)
        for direction in ("a2b", "b2a")
        for inputs in (False, True)
    }
    assert {side: seen(source) for side, source in sides.items()} == {
        ("a2b", False): [b],
        ("a2b", True): [a],
        ("b2a", False): [a],
        ("b2a", True): [b],
    }
    assert sides["a2b", False].identity != sides["a2b", True].identity
    assert sides["a2b", False].describe() != sides["a2b", True].describe()
    assert sides["a2b", False].classes is None


def test_two_paths(tmp_path: Path) -> None:
    given = {f"path_{letter}": write_tree(tmp_path / letter, members(*"xy"[:n])) for letter, n in (("a", 1), ("b", 2))}
    assert seen(Domain(**given)) == [0, 1]
    assert seen(Domain(**given, inputs=True)) == [0]
    assert seen(Domain(**given, inputs=True, direction="b2a")) == [0, 1]
    with pytest.raises(ConfigError, match=r"^dataset\.path_a: .*nowhere does not exist$"):
        seen(Domain(path_a=tmp_path / "nowhere", path_b=given["path_b"], inputs=True))


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "both", members("trainA", "trainB"))
    with pytest.raises(
        ConfigError, match=r"^dataset\.path: no testB in .*both, which has trainA, trainB; give the two"
    ):
        len(Domain(path, "test"))
    flat = write_tree(tmp_path / "flat", {"1.png": encoded(Image.new("L", (4, 4)))})
    with pytest.raises(ConfigError, match=r"^dataset\.path: no trainB in .*flat, which has no folders"):
        len(Domain(flat))


@pytest.mark.parametrize(
    "given",
    [{}, {"path_a": "a"}, {"path_b": "b"}, {"path": "x", "path_a": "a"}, {"path": "x", "path_a": "a", "path_b": "b"}],
)
def test_paths_that_do_not_go_together(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.path_a, dataset\.path_b: say where the two sets are"):
        Domain(**given)
    with pytest.raises(ConfigError, match=r"^dataset\.direction=up: choose a2b or b2a$"):
        Domain("x", direction="up")
