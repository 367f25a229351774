"""Where images come from: a source is made without touching disk or network and is opened when it is iterated."""

from __future__ import annotations

import errno
import http.client
import inspect
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_lab.data.root import data_root
from gan_lab.errors import ConfigError, GanLabError

Sample = tuple[str, "Image.Image | NDArray[np.uint8]", "int | None"]
DOWNLOAD_TIMEOUT = 20.0
_DISK = {errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DownloadError(GanLabError):
    """A source could not be fetched; the message is the reason, without the name of the dataset."""


class Source(ABC):
    """Yields `(name, image, label)`; the image is Pillow or uint8 `(C, H, W)`, the label an index into `classes`."""

    classes: list[str] | None = None

    @property
    @abstractmethod
    def identity(self) -> str:
        """What tells these images from others; it decides where they are stored, so it must not change."""

    @abstractmethod
    def describe(self) -> str:
        """One phrase for the card of the store and for the user."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[Sample]: ...


class Digits(Source):
    """1797 handwritten digits, 8x8, that come with the package.

    The test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine
    Learning Repository, doi:10.24432/C50P49, licensed CC BY 4.0; the same images as scikit-learn's `load_digits`.
    Changed: the values 0..16 are scaled to 0..255.
    """

    classes = [str(digit) for digit in range(10)]  # noqa: RUF012

    @property
    def identity(self) -> str:
        return "digits"

    def _load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with as_file(files("gan_lab.data") / "digits.npz") as path, np.load(path, allow_pickle=False) as arrays:
            scaled = (arrays["images"].astype(np.uint16) * 255 + 8) // 16
            return scaled.astype(np.uint8)[:, None], arrays["labels"]

    def __len__(self) -> int:
        return len(self._load()[1])

    def __iter__(self) -> Iterator[Sample]:
        for index, (image, label) in enumerate(zip(*self._load(), strict=True)):
            yield f"{index:04d}", image, int(label)

    def describe(self) -> str:
        return "handwritten digits 8x8, Alpaydin & Kaynak, UCI (CC BY 4.0)"


class Torchvision(Source):
    """A dataset class of torchvision (`dataset`: MNIST, FashionMNIST, CIFAR10, SVHN, ...), downloaded when opened.

    Files go to `downloads` under the data root and are checked by torchvision's checksums before anything in them is
    read. Raises ConfigError for a name torchvision does not have, DownloadError when the files cannot be had.
    """

    def __init__(self, dataset: str, split: str = "train") -> None:
        self.dataset = dataset
        self.split = split
        self._data: Any = None

    @property
    def identity(self) -> str:
        return f"torchvision:{self.dataset}:{self.split}"

    def describe(self) -> str:
        return f"torchvision {self.dataset}, {self.split} split"

    def __len__(self) -> int:
        return len(self._open())

    def __iter__(self) -> Iterator[Sample]:
        data = self._open()
        for index in range(len(data)):
            image, label = data[index]
            yield f"{index:06d}", image, int(label) if isinstance(label, (int, np.integer)) else None
        self._data = None  # packed: give the memory back

    def _open(self) -> Any:
        if self._data is None:
            import torchvision.datasets

            factory = getattr(torchvision.datasets, self.dataset, None)
            if not isinstance(factory, type):
                raise ConfigError(f"dataset.source.dataset: torchvision has no dataset {self.dataset!r}")
            parameters = inspect.signature(factory).parameters
            given: dict[str, Any] = {"split": self.split} if "split" in parameters else {}
            if "train" in parameters:
                if self.split not in ("train", "test"):
                    raise ConfigError(f"dataset.split={self.split}: {self.dataset} has train and test")
                given = {"train": self.split == "train"}
            self._data = _download(factory, data_root() / "downloads", given)
            self.classes = list(getattr(self._data, "classes", None) or []) or None
        return self._data


def _download(factory: type, root: Path, given: dict[str, Any]) -> Any:
    """`factory(root, download=True)`, under a time limit per network operation, with its many failures told apart."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        return factory(root=str(root), download=True, **given)
    except OSError as error:  # URLError, ConnectionError and timeouts are OSErrors too
        if error.errno in _DISK:
            raise GanLabError(f"{error.filename or root}: {error.strerror}") from error
        raise DownloadError(_reason(error)) from error
    except (RuntimeError, EOFError, http.client.HTTPException) as error:
        raise DownloadError(_reason(error)) from error
    except ImportError as error:
        raise GanLabError(f"torchvision's {factory.__name__} needs a package that is missing: {error}") from error
    except TypeError as error:
        raise ConfigError(f"dataset.source: torchvision's {factory.__name__} asks for more: {error}") from error
    except (ValueError, AssertionError) as error:
        raise GanLabError(f"what was downloaded is damaged ({_reason(error)}): delete {root} and try again") from error
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    """The last line of a message: torchvision puts the cause below what it tried."""
    lines = [line.strip().removeprefix("<urlopen error ").removesuffix(">") for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)
