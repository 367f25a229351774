"""Signals become a flag that is read between rounds; whoever handled them before is called once the run is saved."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

log = logging.getLogger(__name__)


class Interrupted(BaseException):
    """A signal has come while something was going on that need not be finished."""


class Interruption:
    """While open, SIGTERM and SIGINT call `told` with the signal's name, and return. A second one acts at once, as
    without this class.

    `sent` is the signal that this process was sent, `signal` the one that it is to stop for: the same, but where it is
    not `alone`. Then the processes agree on one, and `hear` of it.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, told: Callable[[str], None] | None = None, alone: bool = True) -> None:
        self.sent: int | None = None
        self._heard: int | None = None
        self._alone = alone
        self._told = told or _training_saves
        self._previous: dict[int, Any] = {}
        self._pid = os.getpid()
        self._breaks_off = False

    @property
    def signal(self) -> int | None:
        """What this process is to stop for."""
        return self._heard or (self.sent if self._alone else None)

    def hear(self, number: int) -> None:
        """What the processes have agreed on; 0: no signal."""
        self._heard = self._heard or number or None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._handle) for number in self.SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a forked worker inherits the handler; stopping is its parent's business
            return
        if self.sent is not None:
            self._restore()
            os.kill(os.getpid(), number)
            return
        self.sent = number
        self._told(signal.Signals(number).name)
        if self._breaks_off:
            raise Interrupted

    def unless_interrupted(self, work: Callable[[], None]) -> None:
        """Do what may take long and leaves nothing behind when it is broken off: a signal ends it, and after one it is
        not begun."""
        if self.sent is not None:
            return
        try:
            self._breaks_off = True
            work()
            self._breaks_off = False
        except Interrupted:
            log.info("what was being made ready is broken off")
        finally:
            self._breaks_off = False

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that this signal ended: 143 for SIGTERM, 130 for SIGINT."""
        return 128 + (self.signal or 0)

    def call_previous_handler(self) -> None:
        """Call the handler that was there before (a cluster's requeue); Python's and the system's defaults are not."""
        previous = self._previous.get(self.signal or 0)
        if callable(previous) and previous is not signal.default_int_handler:
            previous(self.signal, None)


def _training_saves(name: str) -> None:
    log.info("%s: finishing this step, then saving (once more to stop at once)", name)
