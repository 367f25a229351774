"""Shards that are Parquet files: a column of encoded images, perhaps one of labels and one of captions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.printable import printable
from gan_lab.data.shards.places import Place
from gan_lab.data.shards.shard import COLUMNS, Encoded, Format, Options, Scanned
from gan_lab.data.sources import captions, naming
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.rows import IMAGE_COLUMNS, LABEL_COLUMNS
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.extras import import_extra

LARGEST = 1024**3  # bytes of a row group, which is read whole


class Parquet(Format):
    """What is read at once is a row group."""

    def scan(self, place: Place, options: Options) -> Scanned:
        with place.fs.open(place.path, "rb") as file:
            opened = _opened(file, place)
            image, label, said = _columns(opened.schema_arrow, options, place)
            texts, numbers, chunks = dict[str, int](), list[int](), list[tuple[int, int, int]]()
            found, captioned = list[tuple[int, int]](), 0
            for group in range(opened.num_row_groups):
                about = opened.metadata.row_group(group)
                size = _bytes_of(about, image)
                if size > LARGEST:
                    raise ConfigError(
                        f"dataset.path: {printable(place.url)}: row group {group} has {size / 1024**3:.1f} GiB of "
                        "images, and is read whole; write it with smaller ones (row_group_size=256)"
                    )
                if not about.num_rows:
                    continue
                chunks.append((len(found), about.num_rows, size))
                found += [(group, row) for row in range(about.num_rows)]
                wanted = [name for name in (label, said) if name is not None]
                cells = opened.read_row_group(group, columns=wanted).to_pydict() if wanted else {}
                for value in cells.get(label, [None] * about.num_rows):
                    text = _spelt(value, place, len(numbers), label)
                    numbers.append(texts.setdefault(text, len(texts)) if text else -1)
                captioned += sum(bool(_captions(value)) for value in cells.get(said, ()))
        table = np.zeros((len(found), COLUMNS), np.int64)
        table[:, :2] = np.array(found, np.int64).reshape(-1, 2)
        table[:, -1] = numbers
        noted = _noted(opened.schema_arrow.metadata, label)
        return Scanned(table, np.array(chunks, np.int64).reshape(-1, 3), list(texts), noted, captioned, str(place.size))

    def read(self, place: Place, rows: NDArray[np.int64], options: Options) -> list[Encoded]:
        [group] = set(rows[:, 0].tolist())
        with place.fs.open(place.path, "rb") as file:
            opened = _opened(file, place)
            image, _, said = _columns(opened.schema_arrow, options, place)
            cells = opened.read_row_group(group, columns=[image] + ([said] if said else []))
        if len(cells) <= rows[:, 1].max():
            raise GanLabError(f"row group {group} has {len(cells)} rows, and more in its index")
        images = cells.column(image).take(rows[:, 1]).to_pylist()
        captions = (
            [_captions(each) for each in cells.column(said).take(rows[:, 1]).to_pylist()] if said else [()] * len(rows)
        )
        return [
            Encoded(f"row group {group}, row {row}", data.get("bytes") if isinstance(data, dict) else data, each)
            for row, data, each in zip(rows[:, 1].tolist(), images, captions, strict=True)
        ]


def _opened(file: Any, place: Place) -> Any:
    parquet = import_extra("pyarrow.parquet", "parquet", "Parquet")
    try:
        return parquet.ParquetFile(file)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        reason = printable(str(error).splitlines()[0])
        raise GanLabError(
            f"dataset.path: {printable(place.url)} is truncated or no Parquet: its footer, at the end of {place.size} "
            f"bytes, cannot be read ({reason}); fetch or write it again"
        ) from error


def _columns(schema: Any, options: Options, place: Place) -> tuple[str, str | None, str | None]:
    """Of the images, the labels and the captions."""
    image = _column(schema.names, options.image, IMAGE_COLUMNS, "dataset.image", place)
    if image is None:
        raise ConfigError(
            f"dataset.image: {printable(place.url)}: none of its columns ({listed(schema.names)}) is called "
            f"{', '.join(IMAGE_COLUMNS)}; say dataset.image=NAME"
        )
    kind = str(schema.field(image).type)
    if not re.match(r"(large_)?binary|struct<.*\bbytes: (large_)?binary", kind):
        raise ConfigError(
            f"dataset.image: {printable(place.url)}: column {printable(image)} is {kind}, not images as bytes"
        )
    label = _column(schema.names, options.labels, LABEL_COLUMNS, "dataset.labels", place)
    return image, label, _column(schema.names, options.captions, captions.KEYS, "dataset.captions", place)


def _column(names: Sequence[str], given: str | None, usual: Sequence[str], key: str, place: Place) -> str | None:
    if given == naming.NO_LABELS:
        return None
    if given is not None:
        if given not in names:
            raise ConfigError(f"{key}={given}: {printable(place.url)} has {listed(names)}")
        return given
    found = [name for word in usual for name in names if name.lower() == word]
    if len(found) > 1 and key != "dataset.captions":
        raise ConfigError(f"{key}: {printable(place.url)} has {' and '.join(map(printable, found))}; say {key}=NAME")
    return found[0] if found else None


def _bytes_of(group: Any, image: str) -> int:
    columns = [group.column(place) for place in range(group.num_columns)]
    return sum(each.total_uncompressed_size for each in columns if each.path_in_schema.split(".")[0] == image)


def _spelt(value: Any, place: Place, row: int, label: str | None) -> str:
    text = naming.spell(value)
    if text is None:
        raise ConfigError(
            f"dataset.labels: {printable(place.url)}, row {row}: {printable(str(value))[:40]} in column "
            f"{printable(str(label))} is neither a whole number nor a name; name another column, or none"
        )
    return text


def _captions(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [each.strip() for each in found if isinstance(each, str) and each.strip()]


def _noted(metadata: Any, label: str | None) -> list[str] | None:
    """The names of the classes that Hugging Face's `datasets` leaves in the file."""
    try:
        found = json.loads(metadata[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return [str(name) for name in found] if isinstance(found, list) and found else None
