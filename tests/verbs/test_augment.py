"""The verb `augment` at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gan_lab as package
from gan_lab.errors import ConfigError
from gan_lab.pictures.grid import to_bytes
from gan_lab.synthetic_data.arms import ADDED, ALONE, CHANGED, OVERSAMPLED, REAL
from gan_lab.verbs.augment import checked

SIZES = {"bird": 5, "cat": 3, "dog": 1}


@pytest.fixture
def run(trained: Callable[..., Path], here: Path) -> Path:
    """A tiny conditional run on three classes of unequal size, with a test split beside."""
    rng = np.random.default_rng(0)
    for split, sizes in (("train", SIZES), ("test", dict.fromkeys(SIZES, 2))):
        for name, count in sizes.items():
            folder = here / "animals" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(folder / f"{index}.png")
    data = ("dataset=folder", f"dataset.path={here / 'animals'}", "dataset.image_shape=[1,8,8]")
    return trained("run", "model=cdcgan", *data)


def test_what_is_written_and_measured(
    run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run=run", "out=synthetic", "balance=4", "classes=[cat,bird]", "seed=3", "measure=true", "steps=1")
    assert gan_lab("augment", *words, "device=cpu") == 0
    text = capsys.readouterr().out
    out = Path("synthetic")
    lines = [json.loads(line) for line in (out / "synthetic.jsonl").read_text().splitlines()]
    assert [(line["file"], line["label"], line["seed"], line["index"]) for line in lines] == [
        ("cat/00000.png", "cat", 3, 0)
    ]
    with Image.open(out / "cat" / "00000.png") as image:
        sampled = to_bytes(package.load(run, device="cpu").sample(1, 3, label="cat"))
        assert np.array_equal(np.asarray(image), sampled[0, 0].numpy())
    found = json.loads((out / "measurement.json").read_text())
    assert {name: arm["images"] for name, arm in found["arms"].items()} == {
        REAL: 9, CHANGED: 9, OVERSAMPLED: 10, ADDED: 10, ALONE: 10,
    }  # fmt: skip
    assert all(len(arm["scores"]) == 5 for arm in found["arms"].values())
    assert (found["test_images"], found["steps"], found["seeds"]) == (6, 1, [3, 4, 5, 6, 7])
    assert found["memorisation"]["dog"] is None
    assert all(found["memorisation"][name] is not None for name in ("bird", "cat"))
    assert "on 6 test images, 1 steps each" in text
    assert "memorisation: z-score by class" in text
    assert text.count(" to real in ") + text.count(" than real in ") == 12
    assert text.count(" to oversampled in ") + text.count(" than oversampled in ") == 3


def test_what_is_refused(
    run: Path, gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last: other images are filled up, and measured on those of the run."""
    animals = f"dataset.path={here / 'animals'}"
    other = ("dataset=folder", animals, "dataset.image_shape=[1,8,8]", "dataset.split=test", "balance=3")
    for words, told in (
        (("out=new",), "classes: dog has 1 image, of which nothing can be learned that is not in it already; leave"),
        (("out=animals", "classes=cat"), "out: animals is there already, and not empty"),
        (("out=new", "classes=cow"), "classes: cow is not one of the data's (bird, cat, dog)"),
        (("out=new", "classes=cat", "confidence=0.5"), "confidence: the images of folder are too few for a classifier"),
        (("out=new", "classes=cat", "measure=true", "test=train"), "test=train: these are the images of the data"),
        (("out=new", "classes=cat", "measure=true", "test=train", *other), "test: the generator was trained on these"),
        (("out=new", *other[:2], "dataset.image_shape=[1,16,16]"), "dataset.image_shape=[1, 16, 16]: the run makes"),
    ):
        capsys.readouterr()
        assert gan_lab("augment", "run=run", *words) == 2
        assert told in capsys.readouterr().err
        assert not (here / "new").exists()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("balance", -1, "balance: -1 is not a whole number of at least 1, max or a share"),
        ("seeds", 4, "seeds: 4 is not a whole number of at least 5"),
        ("steps", 0, "steps: 0 is not a whole number"),
        ("truncation", 0.0, "truncation: 0.0 must be above 0"),
        ("confidence", 1, "confidence: 1 does not lie between 0 and 1"),
        ("measure", "yes", "measure: 'yes' is neither true nor false"),
        ("test", "test", "test: is what measure=true measures on"),
    ],
)
def test_values_that_cannot_be(key: str, value: object, told: str) -> None:
    config = dict.fromkeys(("steps", "truncation", "confidence", "test", "classes"))
    config |= {"balance": "max", "seed": 0, "seeds": 5, "measure": False, "flip": True}  # type: ignore[dict-item]
    assert checked({**config, "classes": 3})["classes"] == ["3"]
    with pytest.raises(ConfigError) as error:
        checked({**config, key: value})
    assert told in str(error.value)


def test_a_run_without_labels_is_refused(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run")
    assert gan_lab("augment", "run=run", "out=new") == 2
    assert "train a conditional model (model=cdcgan), or a run for each class" in capsys.readouterr().err
