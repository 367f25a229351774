from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.packing import pack
from gan_lab.data.sources import folder
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import is_gray
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import CIFAR_CLASSES, cifar_like, encoded, mnist_like, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))


def make(kind: str, path: Path, members: dict[str, bytes]) -> Path:
    path.mkdir(exist_ok=True)
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
        (["x/a.png", "c.png"], "train", ["c.png", "x/a.png"], None),
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


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_a_picture_beside_class_folders_has_no_label(kind: str, tmp_path: Path) -> None:
    source = Folder(make(kind, tmp_path, dict.fromkeys(["x/a.png", "y/b.png", "c.png"], PNG)))
    assert source.classes == ["x", "y"]
    assert [(name, label) for name, _, label in source] == [("c.png", None), ("x/a.png", 0), ("y/b.png", 1)]


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


def test_what_is_no_folder_and_no_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.path: .*nowhere does not exist"):
        len(Folder(tmp_path / "nowhere"))
    (tmp_path / "a.words").write_bytes(b"words")
    with pytest.raises(ConfigError, match=r"a\.words is neither a folder nor a zip or tar$"):
        len(Folder(tmp_path / "a.words"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no images in .*empty"):
        len(Folder(tmp_path / "empty"))


def test_links_that_stay_inside_are_followed_once_and_pipes_are_not_read(tmp_path: Path) -> None:
    images = write_tree(tmp_path / "images", {"x/b.png": PNG, "y/a.png": PNG})
    (images / "again").symlink_to(images / "x")
    (images / "x" / "loop").symlink_to(images)
    (images / "y" / "c.png").symlink_to(images / "x" / "b.png")
    assert [name for name, _, _ in Folder(images)] == ["x/b.png", "y/a.png", "y/c.png"]
    assert Folder(images).classes == ["x", "y"]
    os.mkfifo(images / "pipe")
    (images / "gone.png").symlink_to(images / "nowhere")
    with pytest.raises(GanLabError, match=r"2 of 5 .*gone\.png: unreadable .*pipe: not a file"):
        list(Folder(images))


def test_a_dataset_folder_may_be_a_link_itself(tmp_path: Path) -> None:
    write_tree(tmp_path / "real", {"x/a.png": PNG, "y/b.png": PNG})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [name for name, _, _ in Folder(tmp_path / "link")] == ["x/a.png", "y/b.png"]


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_up_to_max_corrupt_files_are_left_out_with_one_warning(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    big = encoded(noise(64, 64))
    strange = {
        "a/empty.png": b"",
        "a/page.jpg": b"<!DOCTYPE html><html>404",
        "b/pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
        "b/short.png": big[: len(big) // 2],
    }
    path = make(kind, tmp_path, {"a/1.png": PNG, "b/2.png": PNG, "c/3.png": PNG} | strange)
    with pytest.raises(GanLabError) as caught:
        list(Folder(path, max_corrupt=3))
    assert str(caught.value).endswith("leave them out with dataset.max_corrupt=4; nothing was packed")
    assert not caplog.records
    source = Folder(path, max_corrupt=4)
    assert [(name, label) for name, _, label in source] == [("a/1.png", 0), ("b/2.png", 1), ("c/3.png", 2)]
    assert len(source) == 7
    [record] = caplog.records
    for reason in (
        "4 of 7 files cannot be read as images and are left out",
        "a/empty.png: not an image (empty)",
        "a/page.jpg: not an image (a web page)",
        "b/pointer.png: not an image (a Git LFS pointer; git lfs pull fetches the image)",
        "b/short.png: damaged",
    ):
        assert reason in record.getMessage()
    assert "\n" not in record.getMessage()
    store = pack(source, (3, 4, 4), "crop", tmp_path / "root" / "x-4x4x3-0", "x")
    assert (len(store), store.classes) == (3, ["a", "b", "c"])


def test_a_folder_with_nothing_but_corrupt_files_is_refused(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", {"a.png": b"", "b.png": b"words"})
    for most in (0, 1, 2, 5):
        with pytest.raises(GanLabError, match=r"2 of 2 files cannot be .*; remove or repair them; nothing was packed$"):
            pack(Folder(path, max_corrupt=most), (3, 4, 4), "crop", tmp_path / "root" / "x-4x4x3-0", "x")


@pytest.mark.parametrize("others", [0, 1])
def test_pixels_without_a_range_come_with_what_would_work(others: int, tmp_path: Path) -> None:
    floats = encoded(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF")
    path = write_tree(tmp_path / "images", {"a.tiff": floats, **({"b.png": PNG} if others else {})})
    with pytest.raises(
        GanLabError, match=r"a\.tiff: floating-point.*dataset=arrays, where dataset\.reader\.range"
    ) as told:
        list(Folder(path))
    assert ("max_corrupt=1" in str(told.value)) == bool(others)


@pytest.mark.parametrize("value", [-1, 1.0, True, "all"])
def test_max_corrupt_is_a_count(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.max_corrupt=.*: how many files may be left out, 0 or more$"):
        Folder(tmp_path, max_corrupt=value)


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_channels_are_read_from_headers_up_to_the_first_in_colour(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = noise(4, 4, "L")
    gray = {
        "a.png": encoded(image),
        "b.jpg": encoded(image, "JPEG"),
        "c.png": encoded(image.convert("1")),
        "d.png": encoded(image.convert("LA")),
        "e.png": encoded(Image.fromarray(np.full((4, 4), 999, np.uint16))),
        "f.png": b"words",
    }
    monkeypatch.setattr(Image.Image, "load", None)
    assert Folder(make(kind, tmp_path / "gray", gray)).channels == 1
    path = make(kind, tmp_path / "colour", {**gray, "g.png": PNG, "h.png": PNG})
    opened = []
    monkeypatch.setattr(folder, "is_gray", lambda stream: opened.append(1) or is_gray(stream))
    assert Folder(path).channels == 3
    assert len(opened) == 7


def test_channels_count_what_decoding_makes_of_an_image(tmp_path: Path) -> None:
    palette = encoded(noise(4, 4, "L").convert("P"))
    for name, data in {"palette": palette, "float": encoded(Image.new("CMYK", (2, 2)), "TIFF")}.items():
        assert Folder(write_tree(tmp_path / name, {"a": data})).channels == 3


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
