"""Shards as WebDataset writes them: a tar in which the files of a sample lie side by side and have one name.

`00012.jpg`, `00012.cls` (its class), `00012.txt` (what is said of it) and `00012.json` (either, by name) are a sample:
a name goes up to its first dot. (Aizman et al. 2019, arXiv:2001.01858)
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.printable import printable
from gan_lab.data.shards.places import Place
from gan_lab.data.shards.shard import COLUMNS, Encoded, Format, Options, Scanned, cut_into_chunks
from gan_lab.data.sources import captions, kinds, labels, naming
from gan_lab.data.sources.archive import MAX_FILE_BYTES
from gan_lab.errors import ConfigError, GanLabError

CLASS, TEXT, RECORD = ("cls", "label"), ("txt", "caption", "text"), "json"
MOST_TEXT = 1_000_000  # bytes of a label, a caption or a record
AS_TEXT, IN_RECORD = 0, 1
BLOCK = 512
PADDING = 1024**2  # bytes that may follow the end
Members = dict[str, tarfile.TarInfo]


class Tar(Format):
    def scan(self, place: Place, options: Options) -> Scanned:
        found, texts, names = list[list[int]](), dict[str, int](), hashlib.sha256()
        captioned = 0
        with place.fs.open(place.path, "rb") as file:
            for name, members in _samples(file, place):
                image = _image(members, options, name, place)
                if image is None:
                    continue
                label, said = _label(file, members, options, place), _caption(file, members, options, place)
                number = -1 if not label else texts.setdefault(label, len(texts))
                captioned += said[1] > 0
                found.append([image.offset_data, image.size, *said, number])
                names.update(f"{name}\n".encode(errors="surrogateescape"))
        table = np.array(found, np.int64).reshape(-1, COLUMNS)
        return Scanned(table, cut_into_chunks(table[:, 1]), list(texts), captioned=captioned, digest=names.hexdigest())

    def read(self, place: Place, rows: NDArray[np.int64], options: Options) -> list[Encoded]:
        said = rows[rows[:, 3] > 0]
        start = int(min(rows[:, 0].min(), said[:, 2].min(initial=rows[0, 0])))
        end = int(max((rows[:, 0] + rows[:, 1]).max(), (said[:, 2] + said[:, 3]).max(initial=0)))
        data = place.fs.cat_file(place.path, start=start, end=end)
        if len(data) != end - start:
            raise GanLabError(f"it ends at byte {start + len(data)}, and has {end} or more in its index")
        return [_cut(row, data, start, options) for row in rows.tolist()]


def _cut(row: Sequence[int], data: bytes, start: int, options: Options) -> Encoded:
    offset, size, said, length, kind, _ = row
    captions: list[str] = []
    if length:
        text = data[said - start : said - start + length].decode(errors="replace")
        captions = [text.strip()] if kind == AS_TEXT else _said(text, options) or []
    return Encoded(f"byte {offset}", data[offset - start : offset - start + size], captions)


def _samples(file: Any, place: Place) -> Iterator[tuple[str, Members]]:
    """Every sample: its name, and its files by extension. Raises GanLabError for a tar that is damaged or cut off."""
    last, members, end = "", Members(), 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # else they add up
                path = PurePosixPath(member.name)
                stem, _, extension = path.name.partition(".")
                if not member.isreg() or member.issparse() or not stem:
                    end = tar.offset
                    continue
                name = str(path.with_name(stem))
                if name != last and members:
                    yield last, members
                    members = {}
                last = name
                if member.offset_data + member.size > place.size:
                    raise tarfile.ReadError("unexpected end of data")
                members.setdefault(extension.lower(), member)
                end = tar.offset
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise _cut_off(place, last, end, str(error)) from error
    file.seek(end)
    if file.read(BLOCK) != bytes(BLOCK):  # a tar ends with blocks of zeros
        raise _cut_off(place, last, end, "its end is missing")
    if place.size - end > PADDING:
        raise _cut_off(place, last, end, "a tar ends here, and more bytes follow")
    if members:
        yield last, members


def _cut_off(place: Place, name: str, end: int, why: str) -> GanLabError:
    after = f"after sample {printable(name)}" if name else "before its first sample"
    return GanLabError(
        f"dataset.path: {printable(place.url)} is truncated or damaged {after}, at byte {end} of {place.size} "
        f"({printable(why)}); fetch or write it again"
    )


def _image(members: Members, options: Options, name: str, place: Place) -> tarfile.TarInfo | None:
    found = [each for each in members if f".{each.rpartition('.')[2]}" in kinds.PICTURES]
    if options.image is not None:
        return members.get(options.image.lower().lstrip("."))
    if len(found) > 1:
        raise ConfigError(
            f"dataset.image: sample {printable(name)} of {printable(place.url)} has several pictures "
            f"({', '.join(map(printable, found))}); say which: dataset.image={found[0]}"
        )
    if found and members[found[0]].size > MAX_FILE_BYTES:
        raise GanLabError(f"dataset.path: {printable(place.url)}: sample {printable(name)} is too large to be an image")
    return members[found[0]] if found else None


def _label(file: Any, members: Members, options: Options, place: Place) -> str | None:
    """The label as text; None or empty where there is none."""
    wanted = options.labels
    if wanted == naming.NO_LABELS:
        return None
    for extension in CLASS if wanted is None else (wanted.lower(),):
        if extension in members and extension != RECORD:
            return _text(file, members[extension]).strip()
    value = _field(_record(file, members), labels.KEYS if wanted is None else (wanted,))
    spelt = naming.spell(value)
    if spelt is None:
        at = members[RECORD].offset
        raise ConfigError(
            f"dataset.labels: {printable(place.url)}, byte {at}: {printable(str(value))[:40]} is neither a whole "
            "number nor a name; name another field, or none"
        )
    return spelt


def _caption(file: Any, members: Members, options: Options, place: Place) -> tuple[int, int, int]:
    """Where a caption lies, how long that is, and whether it is text or in a record; no length: there is none."""
    wanted = options.captions
    if wanted == naming.NO_LABELS:
        return 0, 0, AS_TEXT
    for extension in TEXT if wanted is None else (wanted.lower(),):
        if (member := members.get(extension)) is not None and extension != RECORD and 0 < member.size <= MOST_TEXT:
            return member.offset_data, member.size, AS_TEXT
    if (record := members.get(RECORD)) is not None and _said(_text(file, record), options):
        return record.offset_data, record.size, IN_RECORD
    return 0, 0, AS_TEXT


def _said(text: str, options: Options) -> list[str] | None:
    value = _field(_parsed(text), captions.KEYS if options.captions is None else (options.captions,))
    found = value if isinstance(value, list) else [value]
    return [each.strip() for each in found] if all(isinstance(each, str) for each in found) else None


def _record(file: Any, members: Members) -> Any:
    return _parsed(_text(file, members[RECORD])) if RECORD in members else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _field(record: Any, keys: Sequence[str]) -> Any:
    return next((record[key] for key in keys if key in record), None) if isinstance(record, dict) else None


def _text(file: Any, member: tarfile.TarInfo) -> str:
    if member.size > MOST_TEXT:
        return ""
    file.seek(member.offset_data)
    return str(file.read(member.size).decode(errors="replace"))
