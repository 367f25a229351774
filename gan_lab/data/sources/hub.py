"""Data sets of the Hugging Face hub, and folders that its `datasets` library has saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from gan_lab.data.sources import naming
from gan_lab.data.sources.attributes import check_attributes, chosen, of_columns, refuse_labels
from gan_lab.data.sources.kinds import SAVED
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.rows import IMAGE_COLUMNS, LABEL_COLUMNS, Rows, check_labels_column
from gan_lab.data.sources.source import DownloadError, Label
from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra
from gan_lab.storage.root import data_root


class HuggingFace(Rows):
    """The split `split` of the data set `path` on the hub (`name`: which of its configurations), or of a local folder
    that `save_to_disk` wrote or that `load_dataset` reads.

    `image` and `label` are columns; left open, the image is the first column of images, and the label the first of
    class labels or one with a usual name (`label: none` leaves it out). `attributes` are columns of 0 and 1 (or -1 and
    1), in place of labels. Downloads are kept under the data root. No code
    of the data set is run. Raises ConfigError for a name, split or column that is not there, DownloadError when the
    files cannot be had.
    """

    labels_key = "dataset.source.label"

    def __init__(
        self,
        path: str | None = None,
        name: str | None = None,
        split: str = "train",
        image: str | None = None,
        label: str | None = None,
        max_corrupt: int = 0,
        attributes: Sequence[str] | None = None,
    ) -> None:
        check_attributes(attributes)
        if attributes is not None:
            refuse_labels(label, self.labels_key)
        self.wanted = attributes
        self.path = path
        self.name = name
        self.split = split
        self.image = image
        self.label = naming.NO_LABELS if label in ("None", "NONE") else label
        self.max_corrupt = max_corrupt
        self._data: Any = None

    @property
    def identity(self) -> str:
        """What was asked for; of a saved folder also when it was."""
        if self.path is None or not str(self.path).strip():
            raise ConfigError("dataset.source.path: say which, e.g. dataset.source.path=OWNER/NAME, or a saved folder")
        parts = [self.path, self.name, self.split, self.image, self.label]
        parts += [] if self.wanted is None else [str(list(self.wanted))]
        folder = Path(self.path).expanduser()
        if folder.is_dir():
            stamps = [file.stat().st_mtime_ns for file in sorted(folder.rglob("*")) if file.is_file()]
            parts[0] = f"{folder.absolute()} {hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]}"
        return "huggingface:" + ":".join(str(part) for part in parts)

    def describe(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"Hugging Face {self.path}{name}, {self.split} split"

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return None if self.wanted is None else [str(name) for name in self.wanted]

    def __len__(self) -> int:
        return len(self._open())

    def rows(self) -> Iterator[tuple[Any, Label | None]]:
        data = self._open()
        image, label = self._columns(data)
        pictures = data.select_columns([image]).with_format(None)
        if type(data.features[image]).__name__ == "Image":
            pictures = pictures.cast_column(image, import_extra("datasets", "datasets").Image(decode=False))
        labelled = None if label is None else self._labelled(data, label)
        self.classes = (labelled.classes or None) if labelled else None
        labels: Iterable[Label | None] = repeat(None) if labelled is None else labelled.of_each
        for row, place in zip(pictures, labels if self.wanted is None else self._attributed(data), strict=False):
            yield _cell(row[image]), place
        self._data = None

    def _attributed(self, data: Any) -> list[tuple[int, ...]]:
        """Which attributes each image has."""
        names = chosen(self.wanted or (), list(data.features), str(self.path))
        table = data.select_columns(names).with_format(None)
        columns = [[*chain.from_iterable(batch[name] for batch in table.iter(1000))] for name in names]
        return of_columns(names, columns, str(self.path))

    def _labelled(self, data: Any, label: str) -> naming.Labelled:
        values = chain.from_iterable(
            batch[label] for batch in data.select_columns([label]).with_format(None).iter(1000)
        )
        column = naming.Column(f"dataset.source.label: {self.path}, {label}", self.labels_key, self.label is not None)
        return column.read(values, getattr(data.features[label], "names", None))

    def _columns(self, data: Any) -> tuple[str, str | None]:
        features = data.features
        kinds = {name: type(feature).__name__ for name, feature in features.items()}
        for key, given in (("image", self.image), ("label", self.label)):
            if given is not None and given not in kinds and (key, given) != ("label", naming.NO_LABELS):
                raise ConfigError(f"dataset.source.{key}={given}: {self.path} has {listed(list(kinds))}")
        pictures = [name for name, kind in kinds.items() if kind == "Image"]
        pictures += [name for name in kinds if name.lower() in IMAGE_COLUMNS]
        image = self.image or next(iter(pictures), None)
        if image is None:
            raise ConfigError(f"dataset.source.image: {self.path} has no column of images ({listed(list(kinds))})")
        if self.label == naming.NO_LABELS or self.wanted is not None:
            return image, None
        check_labels_column(self.label, image, "dataset.source.label")
        labels = [name for name, kind in kinds.items() if kind == "ClassLabel"]
        labels += [name for name in kinds if name.lower() in LABEL_COLUMNS]
        return image, self.label or next(iter(labels), None)

    def _open(self) -> Any:
        if self._data is None:
            self._data = self._load(import_extra("datasets", "datasets"))
        return self._data

    def _load(self, datasets: Any) -> Any:
        """The split, without a picture decoded, with the failures of `datasets` told apart."""
        assert self.identity  # complains without a path
        folder = Path(str(self.path)).expanduser()
        try:
            if any((folder / name).is_file() for name in SAVED):
                data = datasets.load_from_disk(str(folder))
                if not isinstance(data, datasets.DatasetDict):
                    return data
                if self.split not in data:
                    raise ConfigError(f"dataset.split={self.split}: {self.path} has {listed(list(data))}")
                return data[self.split]
            place = str(folder) if folder.is_dir() else str(self.path)
            cache = str(data_root() / "downloads" / "huggingface")
            return datasets.load_dataset(place, self.name, split=self.split, cache_dir=cache)
        except datasets.exceptions.DatasetNotFoundError as error:
            raise DownloadError(_first_line(error)) from error
        except OSError as error:  # ConnectionError and the hub's HTTP errors too
            raise DownloadError(_first_line(error)) from error
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f"dataset.source: {self.path}: {_first_line(error)}") from error


def _cell(value: Any) -> Any:
    """A picture that is kept beside the table, as its bytes."""
    if isinstance(value, dict) and value.get("bytes") is None and Path(str(value.get("path"))).is_file():
        return Path(value["path"]).read_bytes()
    return value


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
