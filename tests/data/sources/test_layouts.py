from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.layouts import recognise
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))
WRITERS = {"tree": write_tree, "zip": write_zip}


@pytest.mark.parametrize(
    ("names", "inputs", "images"),
    [
        ("trainA trainB testA testB", "trainA", "trainB"),
        ("TRAINA TRAINB", "TRAINA", "TRAINB"),
        ("train_A train-B", "train_A", "train-B"),
        ("domainA domainB", "domainA", "domainB"),
        ("A B", "A", "B"),
        ("real_A real_B fake_B", "real_A", "fake_B"),
        ("images labels", "labels", "images"),
        ("imgs masks", "masks", "imgs"),
        ("JPEGImages SegmentationClass", "SegmentationClass", "JPEGImages"),
        ("train_images train_masks test_images test_masks", "train_masks", "train_images"),
        ("HR LR", "LR", "HR"),
        ("DIV2K_train_HR DIV2K_train_LR_bicubic DIV2K_valid_HR", "DIV2K_train_LR_bicubic", "DIV2K_train_HR"),
        ("input target", "input", "target"),
        ("inputs gt", "inputs", "gt"),
        ("blur sharp", "blur", "sharp"),
        ("images edges extra", "edges", "images"),
        ("leftImg8bit gtFine", "gtFine", "leftImg8bit"),
        ("images gt", "gt", "images"),
        ("imgs img_masks", "img_masks", "imgs"),
        ("photos Masks", "Masks", "photos"),
    ],
)
def test_what_belongs_together(names: str, inputs: str, images: str) -> None:
    layout = recognise(names.split())
    assert layout is not None
    assert (layout.splits, layout.inputs, layout.images) == ({}, inputs, images)


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        ("train_images test_images", {"train": "train_images", "test": "test_images"}),
        ("training_set test_set", {"train": "training_set", "test": "test_set"}),
        ("seg_train seg_test seg_pred", {"train": "seg_train", "test": "seg_test"}),
        ("train2017 val2017", {"train": "train2017", "val": "val2017"}),
        ("imagesTrain imagesValid", {"train": "imagesTrain", "val": "imagesValid"}),
    ],
)
def test_splits_in_longer_names(names: str, splits: dict[str, str]) -> None:
    layout = recognise(names.split())
    assert layout is not None
    assert layout.splits == splits


@pytest.mark.parametrize(
    "names",
    ["cat dog", "a b", "A B C", "low medium high", "photo sketch cartoon", "train_ticket test_tube", "normal pneumonia",
     "猫 狗", "bus car train", "images", "0 1", "real fake", "label_1 label_2",
     "with_mask without_mask", "mask no_mask", "scarf mask", "good_input bad_input", "masks labels annotations"],
)  # fmt: skip
def test_classes_stay_classes(names: str) -> None:
    assert recognise(names.split()) is None


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("folders", "split", "read", "classes"),
    [
        (("train_images", "test_images"), "test", ["test_images/0.png"], None),
        (("x/train_set/cat", "x/train_set/dog", "x/test_set/cat"), "train",
         ["x/train_set/cat/0.png", "x/train_set/dog/0.png"], ["cat", "dog"]),
        (("cat/train", "cat/test", "dog/train", "dog/test"), "test",
         ["cat/test/0.png", "dog/test/0.png"], ["cat", "dog"]),
        (("images/train", "images/val"), "val", ["images/val/0.png"], None),
        (("cat", "@eaDir", "dog", "dog/@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", "__MACOSX/cat", ".thumbnails",
          ".ipynb_checkpoints", "System Volume Information"), "train", ["cat/0.png", "dog/0.png"], ["cat", "dog"]),
    ],
)  # fmt: skip
def test_which_folders_are_read(
    kind: str, folders: tuple[str, ...], split: str, read: list[str], classes: list[str] | None, tmp_path: Path
) -> None:
    source = Folder(WRITERS[kind](tmp_path / f"x.{kind}", {f"{folder}/0.png": PNG for folder in folders}), split)
    assert ([file.name for file in source.files], source.classes) == (read, classes)
    assert f"as its {split} split" in source.describe() or split not in read[0] or f", its {split}" in source.describe()


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("top", ["", "train/"])
def test_two_sets_are_asked_about_and_every_way_out_works(kind: str, top: str, tmp_path: Path) -> None:
    folders = ("images", "masks") if top else ("trainA", "trainB")
    path = WRITERS[kind](tmp_path / f"x.{kind}", {f"{top}{folder}/0.png": PNG for folder in folders})
    with pytest.raises(ConfigError, match=rf"holds {', '.join(folders)}: .*, not classes\?") as told:
        len(Folder(path))
    inputs, images = (path / top / name for name in (reversed(folders) if top else folders))
    for way in (f"dataset.path={images};", f"path_a={inputs} dataset.path_b={images}", "labels=folders", "labels=none"):
        assert way in str(told.value)
    assert len(Folder(images)) == 1
    assert Folder(path, labels="folders").classes == list(folders)
    assert Folder(path, labels="none").classes is None


def test_the_store_of_a_zip_moves_only_where_its_layout_was_not_read_before(tmp_path: Path) -> None:
    for folders, moves in ((("train", "test"), False), (("cat", "dog"), False), (("train_set", "test_set"), True)):
        path = write_zip(tmp_path / f"{folders[0]}.zip", {f"{folder}/0.png": PNG for folder in folders})
        status = path.stat()
        before = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:16]
        assert (Folder(path).identity != f"folder:{path}:train:{before}") == moves
