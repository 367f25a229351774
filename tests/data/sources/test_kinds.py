"""A path that is of another kind than its reader takes: the line says what reads it, or what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources.arrays import Arrays
from gan_lab.data.sources.captions import Captioned
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.hub import HuggingFace
from gan_lab.data.sources.pairs import Pairs
from gan_lab.data.sources.parquet import Parquet
from gan_lab.data.sources.torchvision import Torchvision
from gan_lab.data.sources.unpaired import Domain
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x.npz", "dataset=arrays dataset.path={}"),
        ("x.NPY", "dataset=arrays dataset.path={}"),
        ("x.h5", "dataset=arrays dataset.path={}"),
        ("x.parquet", "dataset=parquet dataset.path={}"),
        ("x.csv", "dataset.labels={}"),
        ("x.jpg", "give the folder that it lies in: dataset.path="),
        ("x.mp4", "ffmpeg -i {}"),
        ("x.7z", "unpack it, and give the folder"),
        ("x.tar.xz", "unpack it, and give the folder"),
        ("x.pt", "Python objects, which are not read"),
        ("x.tfrecord", "TFRecords, which are not read"),
    ],
)
def test_one_file(name: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(ConfigError) as caught:
        len(Folder(path))
    assert told.format(path) in str(caught.value)


def test_the_advice_can_be_typed(tmp_path: Path) -> None:
    (tmp_path / "my file.npz").write_bytes(b"x")
    with pytest.raises(ConfigError, match=f"dataset.path='{tmp_path}/my file.npz'"):
        len(Folder(tmp_path / "my file.npz"))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("x.npz",), "x.npz, an array file: dataset=arrays dataset.path={}/x.npz"),
        (("a.npz", "b.npz"), "2 files like a.npz, an array file"),
        (("train-0.parquet", "README.md"), "dataset=parquet dataset.path={}"),
        (("state.json", "data-0.arrow"), "dataset=huggingface dataset.source.path={}"),
        (("x.tar",), "x.tar, an archive; of pictures dataset=folder dataset.path={}/x.tar reads it"),
        (("x.zip", "y.zip"), "2 archives (x.zip, y.zip); unpack them"),
        (("a.mp4", "b.mp4"), "2 files like a.mp4, a video"),
        (("data.mdb", "lock.mdb"), "dataset=lsun"),
    ],
)
def test_a_folder_of_something_else(names: tuple[str, ...], told: str, tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", dict.fromkeys(names, b"x"))
    with pytest.raises(ConfigError) as caught:
        len(Folder(path))
    assert told.format(path) in str(caught.value)


def test_a_zip_of_zips_cannot_be_looked_into(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"y.zip": b"x"})
    with pytest.raises(ConfigError, match=r"no images in .*x\.zip, but 1 archives \(y\.zip\); unpack them$"):
        len(Folder(path))


def test_readers_of_files_name_the_folder_reader(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", {"a.png": PNG})
    with pytest.raises(ConfigError, match=rf"but a folder of pictures: dataset=folder dataset\.path={path}$"):
        len(Arrays(path))
    with pytest.raises(ConfigError, match=rf"but pictures: dataset=folder dataset\.path={path}$"):
        len(Parquet(path))
    with pytest.raises(ConfigError, match=r"dataset=folder dataset\.path=.*\.zip reads it"):
        len(Arrays(write_zip(tmp_path / "x.zip", {"a.png": PNG})))


READERS = [Folder, Arrays, Parquet, Captioned, Domain, Pairs]


@pytest.mark.parametrize("path", ["", "  ", "\t"])
@pytest.mark.parametrize("reader", [None, *READERS])
def test_an_empty_path_is_never_the_current_folder(
    reader: Any, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_tree(tmp_path / "x", {"a.png": PNG}))
    with pytest.raises(ConfigError, match=r"^dataset\.path: is empty"):
        Dataset("x", [3, 4, 4], path=path, reader=reader).pack()
    with pytest.raises(ConfigError, match="^from: is empty"):
        Dataset("x", [3, 4, 4], source=Torchvision("MNIST"), reader=reader).pack(from_=path)


@pytest.mark.parametrize("make", [Pairs, Domain])
@pytest.mark.parametrize("key", ["path_a", "path_b"])
def test_nor_is_an_empty_side_of_two(make: Any, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_tree(tmp_path / "x", {"a.png": PNG}))
    paths = {"path_a": tmp_path / "x", "path_b": tmp_path / "x"} | {key: " "}
    with pytest.raises(ConfigError, match=rf"^dataset\.{key}: is empty"):
        len(make(**paths, **({"inputs": key == "path_a"} if make is Domain else {})))


def test_nor_an_empty_source() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.source\.path: "):
        _ = HuggingFace(" ").identity
    with pytest.raises(ConfigError, match=r"^dataset\.source\.root: is empty"):
        len(Torchvision("MNIST", root=""))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("https://x.org/a.zip", "is an address; download it"),
        ("s3://bucket/pictures", "is an address; download it"),
        ("hf://datasets/owner/name", "dataset=huggingface dataset.source.path=owner/name"),
        ("https://huggingface.co/datasets/owner/name", "dataset=huggingface dataset.source.path=owner/name"),
        ("owner/name", "dataset=huggingface dataset.source.path=owner/name"),
    ],
)
@pytest.mark.parametrize("reader", READERS)
def test_what_lies_elsewhere(reader: Any, path: str, told: str, here: Path) -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.path: ") as caught:
        Dataset("x", [3, 4, 4], path=path, reader=reader).pack()
    assert told in str(caught.value)


def test_home_and_numbers_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path / "2024", {"a.png": PNG})
    for given in ("~/2024", 2024):
        assert len(Dataset("x", [3, 4, 4], path=given).pack()) == 1  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^dataset\.path=\['a', 'b'\]: one path is wanted"):
        Dataset("x", [3, 4, 4], path=["a", "b"]).pack()  # type: ignore[arg-type]


def test_the_nearest_path_is_offered(tmp_path: Path) -> None:
    write_tree(tmp_path / "pictures", {"a.png": PNG})
    with pytest.raises(ConfigError, match=rf"^dataset\.path: .*pictues does not exist; nearest: {tmp_path}/pictures$"):
        Dataset("x", [3, 4, 4], path=str(tmp_path / "pictues")).pack()
    with pytest.raises(ConfigError, match=r"owl does not exist$"):
        Dataset("x", [3, 4, 4], path=str(tmp_path / "owl")).pack()


def test_a_folder_of_array_files(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", {"a.npz": b"x"})
    with pytest.raises(ConfigError, match=rf"but a folder of a\.npz, an array file: .* dataset\.path={path}/a\.npz$"):
        len(Arrays(path))


def test_none_may_be_written_as_python_does(tmp_path: Path) -> None:
    path = str(write_tree(tmp_path / "x", {"a/a.png": PNG, "b/b.png": PNG}))
    assert Dataset("x", [3, 4, 4], path=path, labels="None").pack().classes is None
    assert Dataset("x", [3, 4, 4], path=path, labels="Folders").pack().classes == ["a", "b"]
    assert HuggingFace("owner/name", label="None").identity == HuggingFace("owner/name", label="none").identity
