"""Tables whose rows hold an encoded image and perhaps a label: what Parquet files and Hugging Face's hub have."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from gan_lab.data.sources.images import ImageError, decode, is_gray
from gan_lab.data.sources.source import Label, Sample, Source
from gan_lab.data.sources.unreadable import Unreadable
from gan_lab.errors import ConfigError

IMAGE_COLUMNS = ("image", "images", "img", "picture", "jpg", "png", "bytes")
LABEL_COLUMNS = ("label", "labels", "class", "target", "y")


class Rows(Source):
    """Images decoded from the bytes of a table's rows. Up to `max_corrupt` that cannot be are left out with a warning;
    more raise GanLabError after the last row."""

    max_corrupt: int = 0

    @abstractmethod
    def rows(self) -> Iterator[tuple[Any, Label | None]]:
        """The image, as bytes or `{"bytes": ...}`, and the label."""

    @property
    def channels(self) -> int:
        """1 if every image is gray, else 3; from the headers, up to the first in colour."""
        return 3 if any(_has_colour(cell) for cell, _ in self.rows()) else 1

    def __iter__(self) -> Iterator[Sample]:
        unreadable = Unreadable(self.describe(), len(self), self.max_corrupt, "rows")
        for place, (cell, label) in enumerate(self.rows()):
            try:
                image = decode(_bytes(cell))
            except ImageError as error:
                unreadable.add(f"row {place}", error)
                continue
            yield f"row {place}", image, label
        unreadable.conclude()


def check_labels_column(label: str | None, image: str, key: str) -> None:
    """Raises ConfigError, naming `key`, where the labels are to be read from the images."""
    if label == image:
        raise ConfigError(f"{key}={label}: that column holds the images; name the one of their labels, or none")


def _has_colour(cell: Any) -> bool:
    try:
        return is_gray(BytesIO(_bytes(cell))) is False
    except ImageError:
        return False


def _bytes(cell: Any) -> bytes:
    """The contents of an image file in a cell. Raises ImageError where there are none."""
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if isinstance(cell, dict) and cell.get("path"):
        raise ImageError(
            f"only the name of a file ({cell['path']}), no bytes", "store the bytes of each file beside it"
        )
    raise ImageError("no bytes")
