"""Classes and shares of a source: which images they have, that they add up to all, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.dataset import build_dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.sources.selected import Selected, Selection
from gan_lab.data.sources.source import Example, Joined, Sample, Source
from gan_lab.errors import ConfigError
from gan_lab.training.assemble import assemble
from tests.compose import composed
from tests.conftest import TINY
from tests.data.conftest import encoded, noise, write_tree


class Counted(Source):
    """Image number i is of the class i mod 3."""

    classes = ["ant", "bee", "0"]  # noqa: RUF012
    identity = "counted"

    def __len__(self) -> int:
        return 30

    def __iter__(self) -> Iterator[Sample]:
        for i in range(30):
            yield str(i), np.full((1, 4, 4), i, np.uint8), i % 3

    def describe(self) -> str:
        return "counted"


class Beside(Counted, Joined):
    def examples(self) -> Iterator[Example]:
        return (Example(name, image, label, image) for name, image, label in Counted.__iter__(self))


def names(source: Source) -> list[int]:
    return [int(name) for name, *_ in source]


def test_classes_by_name_and_number_in_the_order_they_are_named() -> None:
    """A word is a name first: `0` is the third class."""
    bees = Selection.of(["bee"], 0).of_source(Counted())
    assert names(bees) == list(range(1, 30, 3))
    assert bees.classes == ["bee"]
    two = Selection.of(["0", 1], 0).of_source(Counted())
    assert {(int(name) % 3, label) for name, _, label in two} == {(2, 0), (1, 1)}
    assert two.classes == ["0", "bee"]


@pytest.mark.parametrize(("share", "count"), [(0.1, 1), (0.25, 2), (0.5, 5), (0.99, 9)])
def test_what_is_held_out_and_what_is_not_are_all(share: float, count: int) -> None:
    selection = Selection.of("ant", share)
    kept, rest = names(selection.of_source(Counted())), names(selection.rest.of_source(Counted()))
    assert sorted(kept + rest) == list(range(0, 30, 3))
    assert len(rest) == count


def test_a_share_of_all_classes_is_of_every_class_alike_where_they_lie_one_behind_the_other() -> None:
    selection = Selection.of(None, 0.2)
    assert [selection.rest.holds(place) for place in range(10)] == [False] * 4 + [True] + [False] * 4 + [True]
    source = selection.of_source(Counted())
    assert len(names(source)) == 24
    assert source.classes == Counted.classes


def test_inputs_stay_beside_their_images() -> None:
    found = list(Selection.of("bee", 0).of_source(Beside()).examples())
    assert [int(np.asarray(example.input).max()) for example in found] == list(range(1, 30, 3))


@pytest.mark.parametrize(
    ("classes", "share", "told"),
    [
        ([], 0, "name one class or more"),
        (["ant", "ant"], 0, "each once"),
        (None, 1, "from 0 to below 1"),
        (None, -0.1, "from 0 to below 1"),
        (None, "a lot", "from 0 to below 1"),
        (["wasp"], 0, r"wasp is not one of the 3 classes \(ant, bee, 0\)"),
        (["bee", "1"], 0, "two of them are the same class"),
    ],
)
def test_what_is_no_selection(classes: list[str] | None, share: float, told: str) -> None:
    with pytest.raises(ConfigError, match=f"^dataset.*{told}"):
        names(Selection.of(classes, share).of_source(Counted()))


def test_a_share_that_comes_to_nothing_and_images_without_labels() -> None:
    with pytest.raises(ConfigError, match=r"^dataset.held_out=0.01: of 10 images that is none"):
        names(Selection.of("ant", 0.01).rest.of_source(Counted()))
    nameless = Counted()
    nameless.classes = None  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="the images have no labels"):
        names(Selected(nameless, Selection.of("ant", 0)))


def test_a_dataset_of_one_class_of_the_digits(tmp_path: Path) -> None:
    """183 threes, of which a tenth is held out; a model with labels is told of one class."""
    config = composed(*TINY, "model=cgan", "dataset.classes=[3]", "dataset.held_out=0.1")
    run, _ = assemble(config, tmp_path)
    dataset = build_dataset(run.config["dataset"])
    assert (len(dataset.store), len(dataset.rest.store)) == (165, 18)
    assert dataset.store.classes == dataset.rest.store.classes == ["3"]
    assert dataset.store.sha256 != dataset.rest.store.sha256
    assert (run.config["dataset"]["num_classes"], run.config["model"]["generator"]["num_classes"]) == (1, 1)
    again, _ = assemble(run.config, tmp_path, run.state_dict())
    assert again.store.folder == run.store.folder
    assert len(build_dataset({**run.config["dataset"], "sha256": dataset.store.sha256}).rest.store) == 18


def test_of_another_split_nothing_is_held_out(tmp_path: Path) -> None:
    members = {
        f"{split}/{name}/{i}.png": encoded(noise(8, 8, seed=place))
        for split in ("train", "test")
        for name in ("ant", "bee")
        for i, place in enumerate(range(10) if split == "train" else range(10, 20))
    }
    path = write_tree(tmp_path / "data", members)
    node = composed("dataset=folder", f"dataset.path={path}", "dataset.image_shape=[3,8,8]")["dataset"]
    dataset = build_dataset({**node, "classes": ["bee"], "held_out": 0.2})
    assert len(dataset.store) == 8
    other, _ = held_out(dataset, "test", "key")
    assert (len(other.store), other.store.classes) == (10, ["bee"])
    without = build_dataset({**node, "path": str(path / "test"), "held_out": 0.2})
    with pytest.raises(ConfigError, match="key=test: these are the images of the data itself"):
        held_out(without, "test", "key")  # what is held out of a folder without splits, and all else
    elsewhere, _ = held_out(dataset, str(path / "test"), "key")
    assert (len(elsewhere.store), elsewhere.store.classes) == (20, ["ant", "bee"])
