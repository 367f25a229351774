from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.sources import ranges
from gan_lab.data.sources.arrays import Arrays
from gan_lab.errors import ConfigError, GanLabError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])
KINDS = ["npz", "h5"]


def write(path: Path, **arrays: Any) -> Path:
    """`arrays` as an npz or HDF5 file, by the name of `path`; a double underscore stands for a group."""
    if path.suffix == ".npz":
        np.savez(path, **{name.replace("__", "/"): value for name, value in arrays.items()})
        return path
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            words = value.dtype.kind == "U"
            kind = {"dtype": h5py.string_dtype()} if words else {}
            file.create_dataset(name.replace("__", "/"), data=value.astype(object) if words else value, **kind)
    return path


def read(source: Arrays) -> np.ndarray:
    images = [image for _, image, _ in source]
    assert all(image.dtype == np.uint8 for image in images)
    assert len(images) == len(source)
    return np.stack(images)


def labels(source: Arrays) -> list[int | None]:
    return [label for _, _, label in source]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", ["NHWC", "NCHW", "NHW"])
def test_images_and_labels(kind: str, axes: str, tmp_path: Path) -> None:
    first = PIXELS.transpose(0, 3, 1, 2)
    images = {"NHWC": PIXELS, "NCHW": first, "NHW": PIXELS[..., 0]}[axes]
    source = Arrays(write(tmp_path / f"a.{kind}", images=images, labels=LABELS))
    np.testing.assert_array_equal(read(source), first[:, :1] if axes == "NHW" else first)
    assert labels(source) == LABELS.tolist()
    assert source.classes == ["0", "1", "2"]
    assert source.channels == (1 if axes == "NHW" else 3)
    assert source.describe() == f"{kind} file {tmp_path}/a.{kind}, images"


@pytest.mark.parametrize("black", [0.0, -1.0])
def test_floats_are_scaled(black: float, tmp_path: Path) -> None:
    values = (PIXELS / 255 * (1 - black) + black).astype(np.float32)
    np.testing.assert_array_equal(read(Arrays(write(tmp_path / "a.npz", x=values))), PIXELS.transpose(0, 3, 1, 2))


def test_an_npy_is_one_nameless_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "CHUNK_BYTES", 250)
    np.save(tmp_path / "a.npy", PIXELS)
    source = Arrays(tmp_path / "a.npy")
    np.testing.assert_array_equal(read(source), PIXELS.transpose(0, 3, 1, 2))
    assert labels(source) == [None] * 6
    assert source.classes is None
    assert source.describe() == f"npy file {tmp_path}/a.npy"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("images", "labels_"), [("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}__data", "{}__label")]
)
def test_the_split_is_told_by_the_names(kind: str, images: str, labels_: str, tmp_path: Path) -> None:
    arrays = {}
    for split, part in (("train", slice(4)), ("val", slice(4, 5)), ("test", slice(5, 6))):
        arrays[images.format(split)] = PIXELS[part]
        arrays[labels_.format(split)] = LABELS[part, None]
    path = write(tmp_path / f"a.{kind}", **arrays)
    assert [len(Arrays(path, split)) for split in ("train", "validation", "test")] == [4, 1, 1]
    assert labels(Arrays(path)) == [0, 1, 2, 0]
    assert len({Arrays(path, split).identity for split in ("train", "val")}) == 2
    with pytest.raises(ConfigError, match=r"^dataset\.split=extra: .* has train, val, test$"):
        len(Arrays(path, "extra"))


@pytest.mark.parametrize("kind", KINDS)
def test_words_and_sparse_numbers_are_classes_in_order(kind: str, tmp_path: Path) -> None:
    words = Arrays(write(tmp_path / f"a.{kind}", images=PIXELS, y=np.array(["dog", "cat", "emu"] * 2)))
    assert (words.classes, labels(words)) == (["cat", "dog", "emu"], [1, 0, 2] * 2)
    sparse = Arrays(write(tmp_path / f"b.{kind}", images=PIXELS, y=LABELS * 5 + 1))
    assert (sparse.classes, labels(sparse)) == (["1", "6", "11"], LABELS.tolist())


def test_keys_are_as_the_user_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", images=PIXELS, data=PIXELS[:, :2], labels=LABELS, fine=LABELS // 2)
    with pytest.raises(
        ConfigError, match=r"more than one of its arrays could be the images \(images, data\); say datase"
    ):
        len(Arrays(path))
    source = Arrays(path, images="data", labels="fine")
    assert read(source).shape == (6, 3, 2, 7)
    assert labels(source) == [0, 0, 1, 0, 0, 1]
    assert labels(Arrays(path, images="data", labels="none")) == [None] * 6
    for key, given in (("dataset.reader.images", {"images": "photos"}), ("dataset.labels", {"labels": "photos"})):
        with pytest.raises(ConfigError, match=rf"^{key}=photos: .* has images, data, labels, fine$"):
            len(Arrays(path, **{"images": "data", **given}))
    both = write(tmp_path / "b.npz", images=PIXELS, labels=LABELS, y=LABELS)
    with pytest.raises(ConfigError, match=r"labels and y could be the labels; say dataset\.labels=NAME \(or none\)$"):
        len(Arrays(both))


def test_the_only_array_of_images_needs_no_usual_name(tmp_path: Path) -> None:
    assert len(Arrays(write(tmp_path / "a.npz", faces=PIXELS, ages=LABELS))) == 6
    with pytest.raises(
        ConfigError, match=r"none of its arrays is an array of images \(ages\); say dataset\.reader\.image"
    ):
        len(Arrays(write(tmp_path / "b.npz", ages=LABELS)))


def test_options_settle_what_the_array_does_not_tell(tmp_path: Path) -> None:
    values = PIXELS[:, :3].astype(np.int64)
    path = write(tmp_path / "a.npz", images=values)
    with pytest.raises(ConfigError, match="does not tell where the channels are"):
        len(Arrays(path))
    with pytest.raises(ConfigError, match=rf"^from: {path}, images: int64 from 0 to 25\d does not tell what is black"):
        len(Arrays(path, key="from", layout="NHWC"))
    source = Arrays(path, layout="NHWC", range=[0, 255])
    np.testing.assert_array_equal(read(source), PIXELS[:, :3].transpose(0, 3, 1, 2))
    assert source.identity != Arrays(path, layout="NCHW", range=[0, 255]).identity
    with pytest.raises(ConfigError, match=r"^dataset\.reader\.layout=CHW: choose NHW, NHWC, NCHW$"):
        Arrays(path, layout="CHW")


class Hostile:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_python_objects_are_refused_and_not_unpickled(kind: str, tmp_path: Path) -> None:
    objects = np.array([Hostile(tmp_path / "executed"), None], object)
    if kind == "npz":
        np.savez(tmp_path / "a.npz", images=objects)
    else:
        np.save(tmp_path / "a.npy", objects)
    with pytest.raises(ConfigError, match=rf"a\.{kind} holds Python objects, which are not read; save plain numbers$"):
        len(Arrays(tmp_path / f"a.{kind}"))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.h5", "a.txt"])
@pytest.mark.parametrize("data", [b"", b"no array", b"PK\3\4 no zip", b"\x93NUMPY\1\0"])
def test_a_file_that_is_none_is_one_line(name: str, data: bytes, tmp_path: Path) -> None:
    if name == "a.h5":
        pytest.importorskip("h5py")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match=rf"^dataset\.path: {tmp_path}/{name} ") as caught:
        len(Arrays(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_labels_must_be_one_for_each_image(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 6 images and 5 labels$"):
        len(Arrays(write(tmp_path / "a.npz", images=PIXELS, labels=LABELS[:5])))
    with pytest.raises(ConfigError, match=r"b\.npz, labels: shape \[6, 2\], where one label .*=none$"):
        len(Arrays(write(tmp_path / "b.npz", images=PIXELS, labels=np.zeros((6, 2), int))))
    with pytest.raises(ConfigError, match=r"b\.npz, labels: labels are whole numbers or words, .* row 0 has 0\.5"):
        len(Arrays(write(tmp_path / "b.npz", images=PIXELS, labels=np.full(6, 0.5))))


def test_hdf5_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "a.h5").touch()
    with pytest.raises(GanLabError, match=r"^this dataset needs the package h5py: pip install 'gan-lab\[hdf5\]'$"):
        len(Arrays(tmp_path / "a.h5"))


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_arrays_or_columns_of_one(kind: str, tmp_path: Path) -> None:
    table = np.array([[1, -1], [1, 1], [-1, -1], [1, 1], [-1, 1], [-1, -1]])
    rows = [tuple(row) for row in (table > 0).astype(int).tolist()]
    path = write(
        tmp_path / f"a.{kind}", images=PIXELS, labels=LABELS, hat=table[:, 0] > 0, old=table[:, 1:], both=table
    )
    source = Arrays(path, attributes=["hat", "old"])
    assert (source.classes, source.attributes, labels(source)) == (None, ["hat", "old"], rows)
    assert source.identity != Arrays(path).identity != Arrays(path, attributes=["old", "hat"]).identity
    named = Arrays(path, labels="both", attributes=["a", "b"])
    assert (named.classes, named.attributes, labels(named)) == (None, ["a", "b"], rows)
    for options, told in (
        ({"attributes": ["hut"]}, "dataset.attributes=hut: .* has no column hut .*nearest: hat"),
        ({"attributes": ["labels"]}, "row 2 of .* has '2' in labels; attributes are 0 and 1"),
        ({"attributes": ["a"], "labels": "both"}, r"both is \[6, 2\], where a column of each is wanted"),
        ({"attributes": "hat"}, "a list of columns"),
        ({"labels": "both"}, "of attributes name the columns"),
    ):
        with pytest.raises(ConfigError, match=told):
            labels(Arrays(path, **options))  # type: ignore[arg-type]
    short = write(tmp_path / f"b.{kind}", images=PIXELS, hat=np.ones(5))
    with pytest.raises(ConfigError, match="has 6 images and 5 rows of attributes"):
        labels(Arrays(short, attributes=["hat"]))
