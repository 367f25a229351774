from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image

from gan_lab.data.sources.digits import Digits
from gan_lab.data.sources.source import DownloadError, Source, has_one_channel
from gan_lab.data.sources.torchvision import Torchvision
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import Array, encoded, noise


def test_digits_are_the_embedded_ones() -> None:
    samples = list(Digits())
    images = np.stack([image for _, image, _ in samples])
    labels = np.array([label for _, _, label in samples])
    assert len(Digits()) == len(samples) == 1797
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.unique(images).tolist() == [(value * 255 + 8) // 16 for value in range(17)]
    first = [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]  # as scikit-learn's load_digits prints it
    np.testing.assert_array_equal(np.rint(images[0, 0, :2] / 255 * 16), first)


def test_digits_equal_scikit_learns() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    bunch = datasets.load_digits()
    images = np.stack([image for _, image, _ in Digits()])
    np.testing.assert_array_equal(np.rint(images[:, 0] / 255 * 16), bunch.images)
    assert [label for _, _, label in Digits()] == bunch.target.tolist()


class Fake:
    """What torchvision's classes look like, in memory."""

    classes = ("zero", "one")

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        assert download
        assert socket.getdefaulttimeout() == 20
        self.root = root
        self.train = train

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.new("L", (28, 28), index + (0 if self.train else 100)), index


def test_torchvision_is_opened_only_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "Fake", Fake, raising=False)
    train, test = Torchvision("Fake"), Torchvision("Fake", "test")
    assert train._data is None
    assert train.identity != test.identity
    assert [(name, image.getpixel((0, 0)), label) for name, image, label in train] == [
        ("000000", 0, 0),
        ("000001", 1, 1),
    ]
    assert [image.getpixel((0, 0)) for _, image, _ in test] == [100, 101]
    assert train.classes == ["zero", "one"]
    assert socket.getdefaulttimeout() is None


def test_torchvision_takes_split_where_the_class_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class BySplit(Fake):
        def __init__(self, root: str, split: str = "train", download: bool = False) -> None:
            super().__init__(root, split == "train", download)
            self.split = split

    monkeypatch.setattr(torchvision.datasets, "Fake", BySplit, raising=False)
    assert Torchvision("Fake", "extra")._open().split == "extra"


def test_options_and_root_reach_the_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Local(Fake):
        classes = [("tench", "Tinca tinca"), ("goldfish",)]  # noqa: RUF012

        def __init__(self, root: str, split: str = "train", kind: str = "a") -> None:
            self.given = (root, split, kind)

    monkeypatch.setattr(torchvision.datasets, "Fake", Local, raising=False)
    source = Torchvision("Fake", "val", {"kind": "b"}, root=str(tmp_path))
    assert source._open().given == (str(tmp_path), "val", "b")
    assert source.classes == ["tench, Tinca tinca", "goldfish"]
    assert source.identity == 'torchvision:Fake:val:{"kind": "b"}'
    assert Torchvision("Fake", "val", root=str(tmp_path)).identity == "torchvision:Fake:val"
    with pytest.raises(
        ConfigError, match=r"^dataset\.source: torchvision's Local: .*unexpected keyword argument 'knid'"
    ):
        len(Torchvision("Fake", options={"knid": "b"}))


@pytest.mark.parametrize(
    ("target", "label"),
    [
        (3, 3),
        (np.int64(3), 3),
        (torch.tensor(3), 3),
        (-1, None),
        (None, None),
        (0.5, None),
        (torch.tensor([3]), None),
        ((1, 2), None),
    ],
)
def test_a_whole_number_is_a_label(target: Any, label: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class One(Fake):
        def __getitem__(self, index: int) -> Any:
            return Image.new("L", (2, 2)), target

    monkeypatch.setattr(torchvision.datasets, "Fake", One, raising=False)
    assert [found for _, _, found in Torchvision("Fake")] == [label, label]


def write_celeba(root: Path) -> None:
    """Four faces, two of them for training, as CelebA's files are laid out."""
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{index:06d}.jpg" for index in range(1, 5)]
    for index, name in enumerate(names):
        (folder / "img_align_celeba" / name).write_bytes(encoded(noise(178, 218, seed=index), "JPEG"))
    rows = {
        "list_eval_partition": [f"{name} {split}" for name, split in zip(names, "0012", strict=True)],
        "identity_CelebA": [f"{name} {index + 1}" for index, name in enumerate(names)],
        "list_bbox_celeba": ["4", "image_id x_1 y_1 width height", *(f"{name} 1 1 9 9" for name in names)],
        "list_landmarks_align_celeba": ["4", " ".join("abcdefghij"), *(f"{n} 1 2 3 4 5 6 7 8 9 0" for n in names)],
        "list_attr_celeba": ["4", "Male Smiling ", *(f"{name} -1 {-1 if name < '000002' else 1}" for name in names)],
    }
    for name, lines in rows.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


def test_celeba_by_an_attribute(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_celeba(root / "downloads")
    monkeypatch.setattr(torchvision.datasets.CelebA, "download", lambda self: None)
    monkeypatch.setattr(torchvision.datasets.CelebA, "_check_integrity", lambda self: True)
    plain = Torchvision("CelebA", options={"target_type": "attr"})
    assert [(image.size, label) for _, image, label in plain] == [((178, 218), None)] * 2
    smiling = Torchvision("CelebA", options={"target_type": "attr"}, attribute="Smiling")
    assert [label for _, _, label in smiling] == [0, 1]
    assert smiling.classes == ["not Smiling", "Smiling"]
    assert smiling.identity != plain.identity
    both = Torchvision("CelebA", options={"target_type": "attr"}, attribute=["Smiling", "Male"])
    assert [label for _, _, label in both] == [(0, 0), (1, 0)]
    assert (both.classes, both.attributes) == (None, ["Smiling", "Male"])
    assert len({each.identity for each in (both, smiling, plain)}) == 3
    assert [label for _, _, label in Torchvision("CelebA", options={"target_type": "identity"})] == [1, 2]
    with pytest.raises(ConfigError, match=r"^dataset\.source\.attribute: no attribute 'Smling'; it has Male, Smiling$"):
        list(Torchvision("CelebA", attribute="Smling"))
    with pytest.raises(
        ConfigError, match=r"^dataset\.split=val: Unknown value 'val' for argument split\. Valid values"
    ):
        len(Torchvision("CelebA", "val"))
    with pytest.raises(ConfigError, match=r"^dataset\.source\.options: Unknown value 'x' for argument target_type"):
        raise_as_torchvision_does(monkeypatch, "Unknown value 'x' for argument target_type. Valid values are {'attr'}.")


def test_an_image_that_is_damaged_is_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_celeba(root / "downloads")
    monkeypatch.setattr(torchvision.datasets.CelebA, "download", lambda self: None)
    monkeypatch.setattr(torchvision.datasets.CelebA, "_check_integrity", lambda self: True)
    (root / "downloads" / "celeba" / "img_align_celeba" / "000002.jpg").write_bytes(b"no image")
    with pytest.raises(GanLabError, match=r"^torchvision CelebA, train split: image 1 cannot be read \(.*\)$"):
        list(Torchvision("CelebA"))


def raise_as_torchvision_does(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def fail(self: object, root: str) -> None:
        raise ValueError(message)

    monkeypatch.setattr(torchvision.datasets, "Fake", type("Fake", (), {"__init__": fail}), raising=False)
    len(Torchvision("Fake"))


def test_stl10_has_labels_unless_unlabeled(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "downloads" / "stl10_binary"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 3, 96, 96), np.uint8)
    pixels.transpose(0, 1, 3, 2).tofile(folder / "train_X.bin")
    pixels.transpose(0, 1, 3, 2).tofile(folder / "unlabeled_X.bin")
    np.array([1, 10, 2], np.uint8).tofile(folder / "train_y.bin")
    names = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"]
    (folder / "class_names.txt").write_text("\n".join(names) + "\n")
    monkeypatch.setattr(torchvision.datasets.STL10, "download", lambda self: None)
    monkeypatch.setattr(torchvision.datasets.STL10, "_check_integrity", lambda self: True)
    train, unlabeled = Torchvision("STL10"), Torchvision("STL10", "unlabeled")
    samples = list(train)
    np.testing.assert_array_equal(np.asarray(samples[0][1]).transpose(2, 0, 1), pixels[0])
    assert [label for _, _, label in samples] == [0, 9, 1]
    assert train.classes == names
    assert [label for _, _, label in unlabeled] == [None] * 3
    with pytest.raises(ConfigError, match=r"^dataset\.split=extra: Unknown value 'extra' for argument split\. Valid"):
        len(Torchvision("STL10", "extra"))


def test_svhn_is_read_from_its_matlab_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    (root / "downloads").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 2), np.uint8)
    scipy_io.savemat(root / "downloads" / "extra_32x32.mat", {"X": pixels, "y": np.array([[10], [3]])})
    monkeypatch.setattr(torchvision.datasets.SVHN, "download", lambda self: None)
    monkeypatch.setattr(torchvision.datasets.SVHN, "_check_integrity", lambda self: True)
    samples = list(Torchvision("SVHN", "extra"))
    np.testing.assert_array_equal(np.asarray(samples[1][1]), pixels[..., 1])
    assert [label for _, _, label in samples] == [0, 3]


def test_imagenet_says_which_archive_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    with pytest.raises(DownloadError, match=rf"ILSVRC2012_devkit_t12\.tar\.gz .*place it in {tmp_path}"):
        len(Torchvision("ImageNet", root=str(tmp_path)))


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, root: str) -> None:
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(torchvision.datasets, "Fake", type("Fake", (), {"__init__": fail}), raising=False)
    with pytest.raises(GanLabError, match=r"^torchvision's Fake needs scipy .*: pip install scipy$"):
        len(Torchvision("Fake"))


def test_channels_are_those_of_the_images() -> None:
    class Mixed(Array):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield "gray", noise(4, 4, "L"), 0
            yield "colour", noise(4, 4), 0

    assert Digits().channels == Array(3, (1, 4, 4)).channels == 1
    assert Array(3).channels == Mixed().channels == 3


@pytest.mark.parametrize(("mode", "one"), [("1", True), ("LA", True), ("I;16", True), ("P", False), ("CMYK", False)])
def test_modes_of_one_channel(mode: str, one: bool) -> None:
    assert has_one_channel(Image.new(mode, (2, 2))) is one


def test_what_the_user_has_stands_in_for_a_source() -> None:
    local: Source = Array()
    assert Digits().replaced_by(local) is local


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (URLError("Name or service not known"), "Name or service not known"),
        (ConnectionResetError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
        (TimeoutError("timed out"), "timed out"),
        (RuntimeError("Error downloading x:\nTried http://a, got:\n<urlopen error no route>\n"), "no route"),
        (RuntimeError("File not found or corrupted."), "File not found or corrupted."),
    ],
)
def test_a_failed_download_says_why(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: Any) -> None:
        raise error

    monkeypatch.setattr(
        torchvision.datasets, "Fake", type("Fake", (), {"__init__": lambda self, **given: fail()}), False
    )
    with pytest.raises(DownloadError) as caught:
        len(Torchvision("Fake"))
    assert str(caught.value) == reason
    assert socket.getdefaulttimeout() is None


def test_a_full_disk_is_not_called_a_network_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, **given: Any) -> None:
        raise OSError(28, "No space left on device", "/full/file")

    monkeypatch.setattr(torchvision.datasets, "Fake", type("Fake", (), {"__init__": fail}), raising=False)
    with pytest.raises(GanLabError, match=r"^/full/file: No space left on device$") as caught:
        len(Torchvision("Fake"))
    assert not isinstance(caught.value, DownloadError)


def test_unknown_names_and_splits_are_refused() -> None:
    with pytest.raises(ConfigError, match="torchvision has no dataset 'CIFAR11'"):
        len(Torchvision("CIFAR11"))
    with pytest.raises(ConfigError, match=r"dataset\.split=val: MNIST has train and test"):
        len(Torchvision("MNIST", "val"))


class Hostile:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_tampered_cifar_batch_is_refused_without_being_unpickled(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "downloads" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    trap = tmp_path / "executed"
    names = [name for name, _ in torchvision.datasets.CIFAR10.train_list + torchvision.datasets.CIFAR10.test_list]
    for name in [*names, "batches.meta"]:
        (folder / name).write_bytes(pickle.dumps(Hostile(trap)))

    def offline(*args: Any, **given: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", offline)
    with pytest.raises(DownloadError, match="no network"):
        len(Torchvision("CIFAR10"))
    assert not trap.exists()
    pickle.loads((folder / "data_batch_1").read_bytes())  # the trap works
    assert trap.exists()


def test_describing_a_dataset_imports_no_torch() -> None:
    code = (
        "import sys; from gan_lab.data.dataset import Dataset; "
        "from gan_lab.data.sources.torchvision import Torchvision; "
        "import gan_lab.verbs.data, gan_lab.data.store; "
        "Dataset('cifar10', [3, 32, 32], Torchvision('CIFAR10')).folder; "
        "print([m for m in ('torch', 'torchvision', 'hydra') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
