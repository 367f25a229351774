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
import torchvision.datasets
from PIL import Image

from gan_lab.data.sources import Digits, DownloadError, Torchvision
from gan_lab.errors import ConfigError, GanLabError


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
        "import sys; from gan_lab.data.dataset import Dataset; from gan_lab.data.sources import Torchvision; "
        "import gan_lab.data.command, gan_lab.data.store; "
        "Dataset('cifar10', [3, 32, 32], Torchvision('CIFAR10')).folder; "
        "print([m for m in ('torch', 'torchvision', 'hydra') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
