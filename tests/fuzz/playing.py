"""Give a reader damaged files, and find those at which it does not say in one line what is wrong."""

from __future__ import annotations

import contextlib
import io
import logging
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from gan_lab.errors import GanLabError
from tests.fuzz.readers import Reader

SECONDS = 20  # that a reader may take for one small file


class Hangs(BaseException):
    """A reader took too long."""


@dataclass
class Crash:
    """What a reader raised that is no word for users, where, and the smallest file found that makes it."""

    name: str
    where: str
    data: bytes


def play(name: str, reader: Reader, count: int, seed: int = 0, first: int = 0) -> dict[str, Crash]:
    """The crashes of so many damaged files, by where they happen; the same for the same seed."""
    found: dict[str, Crash] = {}
    for number in range(first, first + count):
        data = reader.damaged(Random(f"{seed} {name} {number}"))
        where = failure(reader, data)
        if where and where not in found:
            found[where] = Crash(name, where, smaller(data, lambda less, at=where: failure(reader, less) == at))
    return found


def failure(reader: Reader, data: bytes) -> str:
    """Where a reader fails on a file other than in words of ours, and how; empty where it does not."""
    with tempfile.TemporaryDirectory() as place, _quiet():
        folder = Path(place) / ".hydra"
        folder.mkdir()
        reader.beside(folder)
        (folder / reader.file).write_bytes(data)
        before = sorted(path.name for path in folder.iterdir())
        said = _said(reader, folder)
        left = sorted(path.name for path in folder.iterdir()) != before
        return said or ("leaves files behind" if left else "")


def _said(reader: Reader, folder: Path) -> str:
    """How reading fails, if not by a line of ours."""
    try:
        with _limited():
            reader.read(folder)
    except GanLabError as error:
        return "" if str(error) and "\n" not in str(error) else "says more than one line"
    except (Exception, Hangs, SystemExit) as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/gan_lab/" in frame.filename]
        last = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "?"
        return f"{type(error).__name__} in {last}"
    return ""


def smaller(data: bytes, fails: Callable[[bytes], bool], tries: int = 300) -> bytes:
    """The file with as many pieces left out as it fails without."""
    piece = len(data) // 2
    while piece and tries > 0:
        start = 0
        while start < len(data) and tries > 0:
            less = data[:start] + data[start + piece :]
            tries -= 1
            if fails(less):
                data = less
            else:
                start += piece
        piece //= 2
    return data


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logging.disable()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
