"""What stores are called, and which one a word means."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gan_lab.data.card import CARD, IMAGES
from gan_lab.data.packing import pack
from gan_lab.data.store import Store
from gan_lab.data.stores import all_stores, find, origin, remove, title
from gan_lab.errors import ConfigError, GanLabError

from .conftest import Array

HOLD = "import sys; from gan_lab.data.store import Store; s = Store(sys.argv[1]); print('held', flush=True); input()"


def make(root: Path, folder: str, name: str, origin: str) -> Path:
    place = root / folder
    pack(Array(2), (3, 4, 4), "crop", place, name)
    card = json.loads((place / CARD).read_text())
    (place / CARD).write_text(json.dumps(card | {"origin": origin}))
    return place


@pytest.fixture
def places(root: Path) -> dict[str, Path]:
    made = {
        "cats": ("folder", "folder:/pictures/cats:train:0123456789abcdef"),
        "dogs": ("folder", "folder:/pictures/dogs:train:0123456789abcdef"),
        "zip": ("folder", "folder:/other/cats.zip/train:train:0123456789abcdef"),
        "pairs": ("paired", "pairs:folder:/p/A:train:0123:folder:/p/B:train:4567:a2b"),
        "hub": ("huggingface", "huggingface:owner/data:None:train:None:None"),
        "saved": ("huggingface", "huggingface:/home/x/saved 0123456789abcdef:None:train:None:None"),
        "digits": ("digits", "digits"),
    }
    return {
        key: make(root, f"{name}-4x4x3-0000000{place}", name, came)
        for place, (key, (name, came)) in enumerate(made.items())
    }


def test_titles(places: dict[str, Path]) -> None:
    assert {key: title(Store(place).card) for key, place in places.items()} == {
        "cats": "folder/cats", "dogs": "folder/dogs", "zip": "folder/train", "pairs": "paired/A+B",
        "hub": "huggingface/owner/data", "saved": "huggingface/saved", "digits": "digits",
    }  # fmt: skip
    assert origin(Store(places["digits"]).card) == ""


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("folder/cats", ["cats"]),
        ("cats", ["cats"]),
        ("/pictures/dogs", ["dogs"]),
        ("folder-4x4x3-00000001", ["dogs"]),
        ("folder-4x4x3-*", ["cats", "dogs", "zip"]),
        ("*/[ct]*", ["cats", "zip"]),
        ("paired", ["pairs"]),
        ("owner/data", ["hub"]),
        ("digits", ["digits"]),
    ],
)
def test_which_one_a_word_means(word: str, expected: list[str], places: dict[str, Path]) -> None:
    assert find([word, word]) == [places[key] for key in expected]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (
            "folder",
            r"^stores: 3 are called folder; name the folders of those .* \(folder-4x4x3-00000000, .*2\)$",
        ),
        ("folder/cat", r"^stores: there is none called folder/cat; nearest: folder/cats$"),
        ("zzzz", r"^stores: there is none called zzzz; gan-lab data list shows them$"),
        ("", "there is none called"),
        ("..", "there is none called"),
        ("x*", "there is none called"),
    ],
)
def test_words_that_mean_none_or_several(word: str, told: str, places: dict[str, Path], root: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        find([word])
    assert len(all_stores()) == len(places)


def test_removing_tells_the_bytes_and_leaves_the_others(places: dict[str, Path], root: Path) -> None:
    (root / "downloads").mkdir()
    size = sum(path.stat().st_size for path in places["cats"].iterdir())
    (places["dogs"] / IMAGES).write_bytes(b"")  # damaged
    assert remove(find(["cats", places["dogs"].name]))[0] == size
    assert {path.name for path in root.iterdir()} == {"downloads"} | {
        places[key].name for key in places.keys() - {"cats", "dogs"}
    }


def test_one_in_use_stays_and_with_it_the_others(places: dict[str, Path]) -> None:
    store = Store(places["cats"])
    with pytest.raises(GanLabError, match=rf"^stores: {places['cats'].name} is in use .*; nothing was removed$"):
        remove([places["dogs"], places["cats"]])
    assert places["dogs"].exists()
    del store
    remove([places["cats"]])
    assert not places["cats"].exists()


def test_another_process_counts(places: dict[str, Path]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(places["cats"])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(GanLabError, match="is in use"):
            remove([places["cats"]])
        other.communicate("\n")
    remove([places["cats"]])
