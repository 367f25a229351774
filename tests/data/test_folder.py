from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.folder import Folder
from gan_lab.errors import ConfigError, GanLabError

from .conftest import CIFAR_CLASSES, cifar_like, encoded, mnist_like, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))


def make(kind: str, path: Path, members: dict[str, bytes]) -> Path:
    return write_zip(path / "images.zip", members) if kind == "zip" else write_tree(path / "images", members)


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_cifar_like(kind: str, tmp_path: Path) -> None:
    source = Folder(make(kind, tmp_path, cifar_like()))
    samples = list(source)
    assert source.classes == list(CIFAR_CLASSES)
    assert [label for _, _, label in samples] == [label for label in range(10) for _ in range(2)]
    assert len(source) == len(samples) == 20
    for name, image, label in samples:
        index = int(name.rpartition("/")[2][:4])
        np.testing.assert_array_equal(np.asarray(image), np.asarray(noise(32, 32, seed=100 * label + index)))
    assert source.describe().endswith("train/ as its train split")


@pytest.mark.parametrize("kind", ["zip", "tree"])
@pytest.mark.parametrize(("split", "offset"), [("train", 0), ("test", 5000)])
def test_mnist_like_reads_the_split_asked_for(kind: str, split: str, offset: int, tmp_path: Path) -> None:
    source = Folder(make(kind, tmp_path, mnist_like(1)), split)
    samples = list(source)
    assert source.classes == [str(digit) for digit in range(10)]
    assert len(samples) == 10
    for name, image, label in samples:
        assert name.startswith(f"{split}/{label}/")
        assert image.mode == "L"
        assert image.tobytes() == noise(28, 28, "L", seed=100 * label + offset).tobytes()


@pytest.mark.parametrize(
    ("names", "split", "read", "classes"),
    [
        (["a.png", "b.png"], "train", ["a.png", "b.png"], None),
        (["top/x/a.png", "top/y/b.png"], "train", ["top/x/a.png", "top/y/b.png"], ["x", "y"]),
        (["top/mid/a.png", "top/mid/b.png"], "train", ["top/mid/a.png", "top/mid/b.png"], None),
        (["x/a.png", "y/b.png", "c.png"], "train", ["c.png", "x/a.png", "y/b.png"], None),
        (["x/deep/er/a.png", "y/b.png"], "train", ["x/deep/er/a.png", "y/b.png"], ["x", "y"]),
        (["10/a.png", "9/b.png", "2/c.png"], "train", ["10/a.png", "2/c.png", "9/b.png"], ["2", "9", "10"]),
        (["top/Training/x/a.png", "top/Valid/x/b.png"], "val", ["top/Valid/x/b.png"], None),
        (["train/x/a.png", "train/y/b.png", "test/x/c.png"], "test", ["test/x/c.png"], None),
        (["train/a.png", "test/b.png", "extra/c.png", "notes.txt"], "train", ["train/a.png"], None),
        (
            ["bus/a.png", "car/b.png", "train/c.png"],
            "train",
            ["bus/a.png", "car/b.png", "train/c.png"],
            ["bus", "car", "train"],
        ),
        (["a/.hidden/x.png", "__MACOSX/a/._b.png", "a/b.png", ".DS_Store", "a/Thumbs.db"], "train", ["a/b.png"], None),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_which_images_and_what_labels(
    kind: str, names: list[str], split: str, read: list[str], classes: list[str] | None, tmp_path: Path
) -> None:
    source = Folder(make(kind, tmp_path, dict.fromkeys(names, PNG)), split)
    samples = list(source)
    assert [name for name, _, _ in samples] == read
    assert source.classes == classes
    if classes:
        depth = 1 if read[0].startswith("top/") else 0
        assert [classes[label] for _, _, label in samples] == [name.split("/")[depth] for name in read]
    else:
        assert [label for _, _, label in samples] == [None] * len(read)


def test_a_split_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("test", "validation"):
        path = write_zip(tmp_path / f"{name}.zip", {f"{name}/a.png": PNG, f"{name}/b.png": PNG})
        with pytest.raises(ConfigError, match=rf"dataset\.split=train: .* has only {name}"):
            len(Folder(path))


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_unreadable_files_are_listed_after_all_were_tried(kind: str, tmp_path: Path) -> None:
    big = encoded(noise(64, 64))
    members = {f"x/{index}.jpg": b"words" for index in range(5)} | {
        "a/good.png": PNG,
        "a/short.png": big[: len(big) // 2],
    }
    source = Folder(make(kind, tmp_path, members))
    seen = []
    with pytest.raises(GanLabError) as caught:
        seen.extend(name for name, _, _ in source)
    message = str(caught.value)
    assert seen == ["a/good.png"]
    assert "6 of 7 files cannot be read as images" in message
    assert "a/short.png: damaged" in message
    assert "x/3.jpg: not an image" in message
    assert "x/4.jpg" not in message
    assert "\n" not in message


def test_a_file_damaged_inside_the_zip_is_listed(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": PNG, "b.png": PNG})
    data = bytearray(path.read_bytes())
    data[data.index(PNG) + 30] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(GanLabError, match=r"1 of 2 files .* \(a\.png: damaged in the zip"):
        list(Folder(path))


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": PNG})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ConfigError, match=r"from: .*a\.zip is not a whole zip"):
        len(Folder(path, key="from"))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": PNG, "b.png": PNG})
    data = bytearray(path.read_bytes())
    for start in range(len(data)):  # the encryption bit, in the local and the central headers
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            if data[start : start + 4] == mark:
                data[start + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"is encrypted \(2 of 2 files: a\.png, b\.png\)"):
        len(Folder(path))


def test_a_zip_is_never_extracted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = write_zip(tmp_path / "in" / "a.zip", {"../outside.png": PNG, "/x.png": PNG})
    assert len(list(Folder(path))) == 2
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_what_is_no_folder_and_no_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.path: .*nowhere does not exist"):
        len(Folder(tmp_path / "nowhere"))
    (tmp_path / "a.tar").write_bytes(b"words")
    with pytest.raises(ConfigError, match=r"a\.tar is neither a folder nor a zip"):
        len(Folder(tmp_path / "a.tar"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no images in .*empty"):
        len(Folder(tmp_path / "empty"))


def test_linked_folders_are_followed_once_and_pipes_are_not_read(tmp_path: Path) -> None:
    write_tree(tmp_path / "real", {"a.png": PNG})
    images = write_tree(tmp_path / "images", {"x/b.png": PNG})
    (images / "y").symlink_to(tmp_path / "real")
    (images / "x" / "loop").symlink_to(images)
    assert [name for name, _, _ in Folder(images)] == ["x/b.png", "y/a.png"]
    os.mkfifo(images / "pipe")
    (images / "gone.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(GanLabError, match=r"2 of 4 .*gone\.png: unreadable .*pipe: not an image"):
        list(Folder(images))


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_identity_changes_with_the_images(kind: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path, {"a.png": PNG, "b.png": PNG})
    before = Folder(path).identity
    assert Folder(path).identity == before
    assert Folder(path, "test").identity != before
    make(kind, tmp_path, {"a.png": PNG, "b.png": PNG, "c.png": PNG})
    assert Folder(path).identity != before


def test_identity_changes_when_a_file_is_touched_or_moved(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", {"x/a.png": PNG, "y/b.png": PNG})
    seen = {Folder(path).identity}
    os.utime(path / "x/a.png", ns=(1, 1))
    seen.add(Folder(path).identity)
    (path / "x").rename(path / "z")
    seen.add(Folder(path).identity)
    assert len(seen) == 3


def test_making_one_touches_nothing(tmp_path: Path) -> None:
    assert Folder(tmp_path / "nowhere").path == tmp_path / "nowhere"


def test_captions_and_notes_beside_images_are_left_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "0.png")
    for name in ("captions.jsonl", "README.md", "a/notes.TXT"):
        (tmp_path / name).write_text("beside")
    source = Folder(tmp_path)
    assert [sample[0] for sample in source] == ["a/0.png", "b/0.png"]
    assert source.classes == ["a", "b"]
