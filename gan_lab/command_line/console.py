"""What of the log the terminal shows: what is said to the user, not tracebacks."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO


class Console(logging.StreamHandler[TextIO]):
    """Shows plain records; those with a traceback go to the log file only. A closed pipe silences it."""

    def filter(self, record: logging.LogRecord) -> bool:  # type: ignore[override]  # 3.12 may return the record
        return not record.exc_info and bool(super().filter(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Whoever read our output has left (`| head`): go on without it, saying nothing."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            silence(self.stream)
        else:
            super().handleError(record)


def silence(stream: TextIO) -> None:
    """Point the stream's file at the null device, so that neither a later line nor the exit fails on it."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno())
    finally:
        os.close(null)
