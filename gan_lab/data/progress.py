"""How far a long job over images is: one line on a terminal, a line now and then elsewhere, nothing for a short job."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

QUIET_SECONDS = 2.0


class Progress:
    """Call `update(done)` as often as you like and `close()` at the end; writes to standard error."""

    def __init__(
        self,
        task: str,
        total: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        unit: str = "images",
    ) -> None:
        self.task = task
        self.total = total
        self.stream = sys.stderr if stream is None else stream
        self.clock = clock
        self.unit = unit
        self.tty = self.stream.isatty()
        self.start = clock()
        self.next = self.start + QUIET_SECONDS
        self.width = 0

    def update(self, done: int) -> None:
        now = self.clock()
        if now < self.next:
            return
        self.next = now + (0.2 if self.tty else 5.0)
        rate = done / max(now - self.start, 1e-9)
        left = (self.total - done) / max(rate, 1e-9)
        told = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
        line = f"{self.task}: {done}/{self.total} {self.unit}, {told} {self.unit}/s, {_duration(left)} left"
        if self.tty:
            self.stream.write("\r" + line.ljust(self.width))
            self.width = len(line)
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Wipe the line of a terminal."""
        if self.width:
            self.stream.write("\r" + " " * self.width + "\r")
            self.stream.flush()
            self.width = 0


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60:02d}s"
