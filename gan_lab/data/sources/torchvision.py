"""The datasets of torchvision, downloaded when opened."""

from __future__ import annotations

import errno
import http.client
import inspect
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gan_lab.data.sources.paths import absolute
from gan_lab.data.sources.source import DownloadError, Label, Sample, Source
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.root import data_root

DOWNLOAD_TIMEOUT = 20.0
_DISK = {errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Torchvision(Source):
    """A dataset class of torchvision (`dataset`: MNIST, CIFAR10, SVHN, CelebA, ...), downloaded when opened.

    `options` are further arguments of that class. Files go to `root`, else to `downloads` under the data root, and are
    checked by torchvision's checksums before anything in them is read. A class that cannot download (ImageNet) finds
    its archives in `root`. The label is the target if that is one whole number, and none if it is negative; `attribute`
    names the part of a longer target (CelebA's `attr`) that is the label, no or yes; a list of them makes the label one
    of attributes. Raises ConfigError for names that
    torchvision does not have, DownloadError when the files cannot be had.
    """

    def __init__(
        self,
        dataset: str,
        split: str = "train",
        options: Mapping[str, Any] | None = None,
        root: str | None = None,
        attribute: str | Sequence[str] | None = None,
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.options = dict(options or {})
        self.root = root
        self.attribute = attribute
        self._data: Any = None

    @property
    def identity(self) -> str:
        parts = ["torchvision", self.dataset, self.split]
        if self.options:
            parts.append(json.dumps(self.options, sort_keys=True, default=str))
        if self.attribute is not None:
            parts.append(self.attribute if isinstance(self.attribute, str) else json.dumps(list(self.attribute)))
        return ":".join(parts)

    def describe(self) -> str:
        return f"torchvision {self.dataset}, {self.split} split"

    def __len__(self) -> int:
        return len(self._open())

    def __iter__(self) -> Iterator[Sample]:
        data = self._open()
        places = self._places(data)
        for index in range(len(data)):
            try:
                image, target = data[index]
                if isinstance(image, Image.Image):
                    image.load()  # the file behind it is closed
            except OSError as error:
                raise GanLabError(f"{self.describe()}: image {index} cannot be read ({_last_line(error)})") from error
            yield f"{index:06d}", image, self._label_of(target, places)
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
            if "download" in parameters:
                given["download"] = True
            root = data_root() / "downloads" if self.root is None else absolute(self.root, "dataset.source.root")
            self._data = _download(factory, root, {**given, **self.options}, self.split)
            names = getattr(self._data, "classes", None)
            if isinstance(self.attribute, str):
                names = [f"not {self.attribute}", self.attribute]
            elif self.attribute is not None:
                names, self.attributes = None, list(self.attribute)
            # ImageNet's classes are tuples of synonyms
            self.classes = [name if isinstance(name, str) else ", ".join(name) for name in names or []] or None
        return self._data

    def _places(self, data: Any) -> list[int]:
        """Where in a target the attributes are, if any were asked for."""
        if self.attribute is None:
            return []
        names = [name for name in getattr(data, "attr_names", []) if name]
        asked = [self.attribute] if isinstance(self.attribute, str) else list(self.attribute)
        for name in asked:
            if name not in names:
                has = f"it has {', '.join(names)}" if names else f"{self.dataset} has none"
                raise ConfigError(f"dataset.source.attribute: no attribute {name!r}; {has}")
        return [names.index(name) for name in asked]

    def _label_of(self, target: Any, places: list[int]) -> Label | None:
        if self.attributes is not None:
            return tuple(int(target[place]) for place in places)
        return _label(target[places[0]] if places else target)


def _label(target: Any) -> int | None:
    """The label in torchvision's target: a whole number, also as a tensor without dimensions; -1 is none."""
    value = target.item() if getattr(target, "ndim", None) == 0 else target
    return value if isinstance(value, int) and value >= 0 else None


def _download(factory: type, root: Path, given: dict[str, Any], split: str) -> Any:
    """`factory(root, **given)`, under a time limit per network operation, with its many failures told apart."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        return factory(root=str(root), **given)
    except OSError as error:  # URLError, ConnectionError and timeouts are OSErrors too
        if error.errno in _DISK:
            raise GanLabError(f"{error.filename or root}: {error.strerror}") from error
        raise DownloadError(_last_line(error)) from error
    except (RuntimeError, EOFError, http.client.HTTPException) as error:
        raise DownloadError(_last_line(error)) from error
    except ImportError as error:
        missing = error.name or "a package that is missing"
        raise GanLabError(
            f"torchvision's {factory.__name__} needs {missing} ({error}): pip install {missing}"
        ) from error
    except TypeError as error:
        raise ConfigError(f"dataset.source: torchvision's {factory.__name__}: {error}") from error
    except (ValueError, AssertionError) as error:
        reason = _last_line(error)
        if "for argument split" in reason:
            raise ConfigError(f"dataset.split={split}: {reason}") from error
        if "for argument" in reason:
            raise ConfigError(f"dataset.source.options: {reason}") from error
        raise GanLabError(f"what was downloaded is damaged ({reason}): delete {root} and try again") from error
    finally:
        socket.setdefaulttimeout(before)


def _last_line(error: BaseException) -> str:
    """The last line of a message: torchvision puts the cause below what it tried."""
    lines = [line.strip().removeprefix("<urlopen error ").removesuffix(">") for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)
