"""Many pictures one after the other: the next are read and the last are written while the network works."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.photo import Photo, read_photo
from gan_lab.data.progress import Progress
from gan_lab.data.sources.images import ImageError
from gan_lab.errors import ConfigError, GanLabError, describe
from gan_lab.storage.files import write_whole
from gan_lab.translation.masks import Masks
from gan_lab.translation.pictures import Item, Pictures

AHEAD = 2  # pictures that are read before they are needed, and as many that wait to be written

Translate = Callable[[Photo, "NDArray[np.bool_] | None"], Photo]


class Done(NamedTuple):
    """How many pictures were made, and of which none could be made, with the reason."""

    made: int
    failed: dict[str, str]


def translate_all(
    pictures: Pictures,
    items: Sequence[tuple[Item, Path]],
    translate: Translate,
    encode: Callable[[Photo], bytes],
    masks: Masks | None = None,
    task: str = "translating",
) -> Done:
    """Make a file of each item. A picture that cannot be read, or that the network does not take, is left out and told;
    of a single one that is an error. Each file is whole or absent. Raises GanLabError where one cannot be written."""
    failed: dict[str, str] = {}
    made = 0
    progress = Progress(task, len(items))
    waiting = deque(items)
    reads: deque[tuple[Item, Path, Future[Any]]] = deque()
    writes: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(2) as writer:
        while waiting or reads:
            while waiting and len(reads) < AHEAD:
                item, place = waiting.popleft()
                reads.append((item, place, reader.submit(_read, pictures, masks, item)))
            item, place, read = reads.popleft()
            try:
                photo = translate(*read.result())
            except GanLabError as error:
                advice = error.advice if isinstance(error, ImageError) else ""
                failed[item.name] = "; ".join(filter(None, (describe(error), advice)))
                if len(items) == 1:
                    kind = ConfigError if isinstance(error, ConfigError) else GanLabError
                    raise kind(told(item.name, failed[item.name], error)) from error
            else:
                writes.append(writer.submit(_write, place, encode, photo))
                made += 1
            while len(writes) > AHEAD or (writes and not (waiting or reads)):
                writes.popleft().result()
            progress.update(made + len(failed))
    progress.close()
    return Done(made, failed)


def told(name: str, reason: str, error: Exception) -> str:
    """Why a picture is none, with its name; what is about another key begins with that."""
    return reason if isinstance(error, ConfigError) else f"{name}: {reason}"


def _read(pictures: Pictures, masks: Masks | None, item: Item) -> tuple[Photo, NDArray[np.bool_] | None]:
    photo = read_photo(pictures.read(item))
    try:
        return photo, None if masks is None else masks.read(item)
    except ImageError as error:
        raise ImageError(f"its mask is {error}", error.advice) from error


def _write(place: Path, encode: Callable[[Photo], bytes], photo: Photo) -> None:
    data = encode(photo)
    write_whole(place, lambda file: file.write(data), durable=False)
