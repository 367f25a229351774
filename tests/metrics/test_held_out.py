"""Images that training never saw: splits, folders, what is refused, and memorisation measured with them."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lab.config import build
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.sources.digits import Digits
from gan_lab.data.sources.source import Sample, Source
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.classification_accuracy import ClassificationAccuracy
from gan_lab.metrics.evaluate import applicable, measure
from gan_lab.metrics.measures import Memorisation
from gan_lab.metrics.memorisation import memorisation
from gan_lab.metrics.reference import Reference
from tests.compose import composed
from tests.metrics.test_evaluation import Copies, data
from tests.metrics.test_evaluation import data as digits

CPU = torch.device("cpu")
KEY = "metrics.memorisation.held_out"


class Halves(Source):
    """The digits in two splits, as torchvision's datasets have them."""

    classes = Digits.classes

    def __init__(self, split: str = "train") -> None:
        self.split = split

    @property
    def identity(self) -> str:
        return f"halves:{self.split}"

    def describe(self) -> str:
        return f"half of the digits, {self.split}"

    def __len__(self) -> int:
        return 899 if self.split == "train" else 898

    def __iter__(self) -> Iterator[Sample]:
        if self.split not in ("train", "test"):
            raise ConfigError(f"dataset.split={self.split}: there are train and test")
        yield from itertools.islice(Digits(), self.split == "test", None, 2)


def halves(**more: Any) -> Reference:
    """As `configs/dataset/mnist.yaml` comes resolved."""
    source = {"_target_": f"{__name__}.Halves", "split": "train"}
    node = {"_target_": "gan_lab.data.dataset.Dataset", "name": "halves", "image_shape": [1, 16, 16], "split": "train"}
    return seen(build_dataset({**node, "num_classes": 10, "source": source, **more}))


def seen(found: Dataset) -> Reference:
    extractor = Pixels()
    extractor.prepare(found, CPU)
    return Reference(found, extractor)


def write(folder: Path, sets: dict[str, int], colours: int = 1) -> Path:
    """Images of two classes under `folder / split`, other ones in each split."""
    random = np.random.default_rng(0)
    for split, count in sets.items():
        for index in range(count):
            shape = (10, 12) if colours == 1 else (10, 12, 3)
            path = folder / split / ("cat" if index % 2 else "dog") / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return folder


def of_folder(path: Path, *overrides: str) -> Dataset:
    config = composed("dataset=folder", f"dataset.path={path}", "dataset.image_shape=[auto,8,8]", *overrides)
    return build_dataset(config["dataset"])


def test_a_split() -> None:
    """It is the dataset with another split, packed to the store that this would have, and read once."""
    reference = halves()
    test = reference.held_out("test", KEY)
    assert test is reference.held_out("test", KEY)
    assert (test.split, len(test.data.store), len(reference.data.store)) == ("test", 898, 899)
    assert test.card["sha256"] == test.data.store.sha256[:16]
    assert np.array_equal(test.data.store.labels[:3], Digits()._load()[1][1:6:2])
    node = {**reference.data.config, "split": "test", "source": {"_target_": f"{__name__}.Halves", "split": "test"}}
    assert build(node, "dataset").open().folder == test.data.store.folder


def test_splits_of_a_folder(tmp_path: Path) -> None:
    found = of_folder(write(tmp_path / "mine", {"train": 6, "test": 4}))
    test, split = held_out(found, "test", KEY)
    assert (split, len(test.store), test.store.shape) == ("test", 4, (1, 8, 8))


def test_a_path_is_read_as_the_data_is(tmp_path: Path) -> None:
    """Shape and fit are the dataset's, whatever the images have; a zip does as well; a source of one's own is
    replaced."""
    other = write(tmp_path / "other", {"": 5}, colours=3)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for path in sorted(other.rglob("*.png")):
            archive.write(path, path.relative_to(other))
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
        for path in sorted(other.rglob("*.png")):
            archive.write(path, "x" / path.relative_to(other))
            archive.write(path, "y" / path.relative_to(other))
    found = of_folder(write(tmp_path / "mine", {"": 6}), "dataset.fit=pad")
    for path in (other, tmp_path / "other.zip", tmp_path / "deep.zip" / "x"):
        test, split = held_out(found, str(path), KEY)
        assert (split, len(test.store), test.store.shape, test.store.card["fit"]) == ("path", 5, (1, 8, 8), "pad")
    test, _ = held_out(digits(), str(other), KEY)
    assert (test.store.name, test.store.shape) == ("digits", (1, 16, 16))
    stacked, _ = held_out(data("stacked_digits"), str(other), KEY)
    assert stacked.store.num_classes == 8  # three of two classes
    assert stacked.parts == 3


@pytest.mark.parametrize("name", ["paired", "unpaired", "captioned"])
def test_of_pairs_and_captions_only_images_are_held_out(name: str, tmp_path: Path) -> None:
    """A path is one of plain images; a split is read as the data is."""
    both = {f"{side}": write(tmp_path / side, {"train": 4, "test": 2}) for side in "ab"}
    given = [f"dataset.path_{side}={path}" for side, path in both.items()]
    if name == "captioned":
        files = [file.relative_to(both["a"]) for file in sorted(both["a"].rglob("*.png"))]
        (both["a"] / "captions.csv").write_text("\n".join(["file,caption", *(f"{file},said" for file in files)]))
        given = [f"dataset.path={both['a']}"]
    found = build_dataset(composed(f"dataset={name}", *given, "dataset.image_shape=[auto,8,8]")["dataset"])
    plain, _ = held_out(found, str(write(tmp_path / "other", {"": 3})), KEY)
    assert (len(plain.store), plain.store.shape, list(plain.store.columns)) == (3, (1, 8, 8), ["image", "label"])
    test, split = held_out(found, "test", KEY)
    assert (split, len(test.store)) == ("test", 2)
    assert test.store.columns.keys() == found.store.columns.keys()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "there are train and test"),
        ("./nowhere", "nowhere does not exist"),
        ("empty/", "no images in"),
        ("train", "these are the images of the data itself"),
        (5, "5 is neither a split's name nor a path"),
    ],
)
def test_what_is_not_there(here: Path, name: Any, told: str) -> None:
    """One line that begins with the key; said when the measures are chosen, before anything is measured."""
    (here / "empty").mkdir()
    for metric, asked in (("memorisation", Memorisation), ("cas", ClassificationAccuracy)):
        with pytest.raises(GanLabError, match=told) as caught:
            applicable({"it": asked(held_out=name)}, halves())
        assert str(caught.value).startswith(f"metrics.{metric}.held_out")
        assert "\n" not in str(caught.value)


def test_what_cannot_be_held_out(here: Path) -> None:
    with pytest.raises(ConfigError, match=f"{KEY}: .*test does not exist, and digits has no splits"):
        held_out(digits(), "test", KEY)
    write(here, {"mine": 3})
    with pytest.raises(ConfigError, match=f"{KEY}=./mine: .*drawn, not read"):
        held_out(data("ring"), "./mine", KEY)
    with pytest.raises(ConfigError, match=r"there are train and test \(a folder here: ./mine\)"):
        halves().held_out("mine", KEY)
    unsplit = of_folder(here / "mine")
    with pytest.raises(ConfigError, match=f"{KEY}=test: these are the images of the data itself"):
        held_out(unsplit, "test", KEY)
    with pytest.raises(ConfigError, match=f"{KEY}=test: where the data comes from is not known"):
        held_out(Dataset("mine", [1, 8, 8], path=str(here / "mine")), "test", KEY)
    with pytest.raises(
        ConfigError, match=r"metrics.cas.held_out=./mine: its class cat is not one of the data's \(0, 1"
    ):
        ClassificationAccuracy(held_out="./mine").why_not(seen(digits()))


def test_classes_go_by_name_then_number(tmp_path: Path) -> None:
    """Some may be missing, and their order is their own."""
    names = {"7": 3, "2": 4}
    for name, count in names.items():
        (tmp_path / name).mkdir()
        for index in range(count):
            Image.new("L", (16, 16), 20 * index + int(name)).save(tmp_path / name / f"{index}.png")
    reference = seen(digits())
    cas = ClassificationAccuracy(held_out=str(tmp_path))
    assert cas.why_not(reference) is None
    assert cas.labels_of(cas.real(reference), reference).tolist() == [2] * 4 + [7] * 3


def test_images_without_labels_are_no_test(tmp_path: Path) -> None:
    Image.new("L", (16, 16)).save(tmp_path / "1.png")
    reference = seen(digits())
    assert Memorisation(held_out=str(tmp_path)).why_not(reference) is None
    with pytest.raises(ConfigError, match=r"metrics.cas.held_out=.*have no labels"):
        ClassificationAccuracy(held_out=str(tmp_path)).why_not(reference)


def test_memorisation_with_held_out_images() -> None:
    """Copies are found out, the held-out images themselves are as near as can be asked, and the value is that of the
    function on the same features."""
    reference = halves()
    test = reference.held_out("test", KEY)
    measures = {"memory": Memorisation(held_out="test")}
    values = {}
    for name, of in (("copies", reference), ("held out", test)):
        sampler = Copies(of.data.store, every=2)  # of 898 every one in the end
        (figure,) = measure(sampler, reference, measures, 300, 0, {})
        features = of.features(10**6)[np.arange(300) * 2]
        assert figure.value == memorisation(reference.features(10**6), test.features(10**6), features)
        values[name] = figure.value
    assert values["copies"] < -10
    assert abs(values["held out"]) < 3
    assert figure.card["settings"] == {"most": 50_000, "held_out": test.card}
    assert test.card == {"name": "halves", "split": "test", "sha256": test.data.store.sha256[:16], "count": 898,
                         "shape": "1x16x16"}  # fmt: skip
    (all_of_it,) = measure(Copies(test.data.store), reference, measures, 898, 0, {})
    assert all_of_it.value == 0  # by symmetry


def test_without_held_out_images_nothing_has_changed() -> None:
    reference = halves()
    (figure,) = measure(Copies(reference.data.store, 3), reference, {"memory": Memorisation()}, 200, 0, {})
    features = reference.features(10**6)
    assert figure.value == memorisation(features, None, features[np.arange(200) * 3])
    assert figure.card["settings"] == {"most": 50_000}


def test_at_most_so_many() -> None:
    reference = halves()
    asked = {"memory": Memorisation(most=100, held_out="test")}
    (figure,) = measure(Copies(reference.data.store), reference, asked, 50, 0, {})
    real = reference.features(100), reference.held_out("test", KEY).features(100)
    assert figure.value == memorisation(*real, reference.features(10**6)[:50])


def test_from_the_command_line(
    gan_lab: Callable[..., int], trained: Callable[..., Path], here: Path, capsys: pytest.CaptureFixture
) -> None:
    """In the loop and afterwards; a wrong name ends before the first step."""
    mine = write(here / "mine", {"train": 12, "test": 8})
    of = ("dataset=folder", f"dataset.path={mine}", "dataset.image_shape=[1,8,8]", "dataset.num_classes=2")
    loop = ("model=cgan", "metrics=[memorisation,cas]", "metrics.cas.steps=2", "callbacks.metrics.every=1",
            "callbacks.metrics.n=8", "extractor=pixels")  # fmt: skip
    both = ("metrics.memorisation.held_out=test", "metrics.cas.held_out=test")
    run = trained("run", *of, *loop, *both)
    take = ("metrics=[memorisation,cas]", "metrics.cas.steps=2", "extractor=pixels", "n=8", "device=cpu")
    assert gan_lab("evaluate", f"run={run}", *take, *both) == 0
    assert "cas/classifier-8" in capsys.readouterr().out
    told = "metrics.memorisation.held_out=dev: dataset.split=dev:"
    assert gan_lab("evaluate", f"run={run}", *take, "metrics.memorisation.held_out=dev") == 2
    assert told in capsys.readouterr().err
    words = ("trainer=debug", "trainer.batch_size=4", *of, *loop, "metrics.memorisation.held_out=dev")
    assert gan_lab("train", *words, "hydra.run.dir=wrong") == 2
    assert told in capsys.readouterr().err
    assert not (here / "wrong" / "metrics.jsonl").exists() or not (here / "wrong" / "metrics.jsonl").read_text()
    assert gan_lab("evaluate", f"run={trained('plain', *of, 'model=gan')}", "metrics=[cas]", *take[1:]) == 2
    said = "".join(capsys.readouterr())
    assert "cas is not taken: the generator takes no labels" in said
    assert "none of them can be taken" in said
