"""Which shards are meant: addresses with braces, globs and lists, on any file system that fsspec has."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from gan_lab.command_line.printable import printable
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.extras import import_extra

KEY = "dataset.path"
SUFFIXES = (".tar", ".parquet")
PROTOCOLS = ("file", "local", "memory", "http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "hf")
MOST = 1_000_000  # shards
AT_ONCE = 16  # requests
STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "md5Hash", "updated", "created")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


class Place(NamedTuple):
    """One shard: `path` as its file system names it, `url` as a message does; its size in bytes, and what changes when
    it does (an ETag, a time)."""

    fs: Any
    path: str
    url: str
    size: int = 0
    stamp: str = ""


def find_places(given: Any) -> list[Place]:
    """The shards that a path, or a list of them, names, in order: `{000..127}` and `{a,b}` are spelt out, `*` matches,
    a folder is what lies in it. That each is there is seen here, before anything begins.

    Raises ConfigError, in one line, for what names nothing, for shards that are not there and files of other kinds.
    """
    patterns = [given] if isinstance(given, str) else list(given or ())
    if not patterns or not all(isinstance(each, str) and each.strip() for each in patterns):
        raise ConfigError(
            f"{KEY}: say where the shards are: dataset=shards dataset.path='URL/data-{{000..127}}.tar', or a list"
        )
    places = [place for pattern in patterns for place in _matches(pattern)]
    twice = [url for url, times in Counter(place.url for place in places).items() if times > 1]
    if twice:
        raise ConfigError(f"{KEY}: {listed(twice)} is named twice; name every shard once")
    for place in places:
        if not place.path.lower().endswith(SUFFIXES):
            raise ConfigError(f"{KEY}: {printable(place.url)} {_other_kind(place.path.lower())}")
    return _looked_at(places)


def _other_kind(path: str) -> str:
    if path.endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.zst", ".tar.xz")):
        return "is compressed, so that nothing in it can be found again; unpack it to .tar"
    return "is neither .tar nor .parquet; other images: dataset=folder"


def expand(pattern: str) -> Iterator[str]:
    """The patterns that braces stand for: `{08..10}` counts, with as many digits, and `{a,b}` is one and the other."""
    pieces = _BRACES.split(pattern)
    several = [_alternatives(piece, pattern) if place % 2 else [piece] for place, piece in enumerate(pieces)]
    if _product(map(len, several)) > MOST:
        raise ConfigError(f"{KEY}: {printable(pattern)} names more than {MOST} shards")
    return ("".join(chosen) for chosen in itertools.product(*several))


def _alternatives(inner: str, pattern: str) -> Sequence[str]:
    if (found := _RANGE.fullmatch(inner)) is None:
        return inner.split(",")
    first, last = found[1], found[2]
    if int(last) < int(first) or int(last) - int(first) >= MOST:
        raise ConfigError(f"{KEY}: {printable(pattern)}: {{{inner}}} counts from a number to a larger one")
    width = len(first) if len(first) == len(last) or first.startswith("0") else 0
    return [str(number).zfill(width) for number in range(int(first), int(last) + 1)]


def _product(numbers: Iterator[int]) -> int:
    found = 1
    for number in numbers:
        found *= number
    return found


def _matches(pattern: str) -> Iterator[Place]:
    fs, is_web = _file_system(pattern)
    for spelt in expand(pattern):
        path = fs._strip_protocol(spelt if _ADDRESS.match(spelt) else _here(spelt))
        marks = "*" if is_web else "*?["  # a question mark in an address begins a query
        if any(mark in path for mark in marks):
            found = sorted(fs.glob(path))
        elif not path.lower().endswith(SUFFIXES) and not is_web and fs.isdir(path):
            found = sorted(each for suffix in SUFFIXES for each in fs.glob(f"{path.rstrip('/')}/*{suffix}"))
        else:
            found = [path]
        if not found:
            raise ConfigError(f"{KEY}: {printable(spelt)} matches no shard (.tar or .parquet)")
        yield from (Place(fs, each, fs.unstrip_protocol(each)) for each in found)


def _here(path: str) -> str:
    from os.path import abspath, expanduser

    return abspath(expanduser(path))


def _file_system(pattern: str) -> tuple[Any, bool]:
    """What reads such an address, and whether it is the web, where nothing can be listed for sure."""
    protocol = found[1].lower() if (found := _ADDRESS.match(pattern)) else "file"
    if protocol not in PROTOCOLS:
        raise ConfigError(f"{KEY}: {printable(pattern)}: {protocol}:// is not read; there are {', '.join(PROTOCOLS)}")
    fsspec = import_extra("fsspec", "remote", f"{KEY}: {protocol}://")
    try:
        return fsspec.filesystem(protocol), protocol in ("http", "https")
    except ImportError as error:
        missing = getattr(error.__cause__, "name", None) or str(error).splitlines()[0]
        raise GanLabError(
            f"{KEY}: {protocol}:// needs a package that is not here ({missing}): pip install 'gan-lab[remote]'"
        ) from error


def _looked_at(places: Sequence[Place]) -> list[Place]:
    """The same with their sizes and stamps, some at a time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(_info, places))
    missing = [place.url for place, info in zip(places, found, strict=True) if isinstance(info, FileNotFoundError)]
    if missing:
        raise ConfigError(f"{KEY}: {len(missing)} of {len(places)} shards are not there ({listed(missing)})")
    for place, info in zip(places, found, strict=True):
        if isinstance(info, Exception):
            reason = printable(str(info).splitlines()[0] if str(info) else type(info).__name__)
            raise GanLabError(f"{KEY}: {printable(place.url)} cannot be looked at ({reason})") from info
        if not info.get("size"):
            raise GanLabError(f"{KEY}: {printable(place.url)} is empty, or its server does not tell its size")
    return [
        place._replace(size=int(info["size"]), stamp=next((str(info[key]) for key in STAMPS if info.get(key)), ""))
        for place, info in zip(places, found, strict=True)
        if not isinstance(info, Exception)
    ]


def _info(place: Place) -> dict[str, Any] | Exception:
    try:
        place.fs.invalidate_cache()
        found: dict[str, Any] = place.fs.info(place.path)
        return found
    except Exception as error:  # every file system has its own
        return error
