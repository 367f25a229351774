"""Several trainings at a time: a new one begins when one has ended; a signal asks all that run to save and end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from gan_lab.tuning.training import Training

SECONDS = 0.2  # between looks at the trainings


class Pool:
    """While entered, SIGINT and SIGTERM set `signal` and return; a second one acts at once.

    On leaving, whatever still runs is killed, and a pool that was stopped ends with SystemExit (130 or 143).
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.running: list[Training] = []
        self.signal: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Pool:
        if threading.current_thread() is threading.main_thread():
            self._previous = {which: signal.signal(which, self._handle) for which in self.SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self._restore()
        for training in self.running:
            training.kill()
        if kind is None and self.signal is not None:
            raise SystemExit(128 + self.signal)

    def run(
        self,
        begin: Callable[[], Training | None],
        ended: Callable[[Training, int], None],
        watch: Callable[[Training], None] = lambda training: None,
    ) -> None:
        """Start what `begin` gives (None: nothing more) until there is no more; `ended` is told each exit code."""
        while True:
            while self.signal is None and len(self.running) < self.workers and (training := begin()) is not None:
                self.running.append(training)
            if not self.running:
                return
            time.sleep(SECONDS)
            for training in list(self.running):
                if self.signal is not None:
                    training.stop()
                code = training.poll()
                if code is None:
                    watch(training)
                else:
                    self.running.remove(training)
                    ended(training, code)

    def _handle(self, which: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            self._restore()
            os.kill(os.getpid(), which)
            return
        self.signal = which
        print(f"{signal.Signals(which).name}: what runs is saved and ends (once more to stop at once)", flush=True)

    def _restore(self) -> None:
        for which, handler in self._previous.items():
            signal.signal(which, handler)
