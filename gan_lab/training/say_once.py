"""What is built several times says what it has to say once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def say_once() -> Iterator[None]:
    """In here a line that the log has already is not written again, by any handler of the root's."""
    first: dict[tuple[str, int, str], logging.LogRecord] = {}

    def is_new(record: logging.LogRecord) -> bool:
        return first.setdefault((record.name, record.levelno, record.getMessage()), record) is record

    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(is_new)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(is_new)
