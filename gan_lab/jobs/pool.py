"""Several trainings at a time: a new one begins when one has ended; a signal asks all that run to save and end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gan_lab.jobs.training import Training
from gan_lab.training.interruption import Interruption

SECONDS = 0.2  # between looks at the trainings


class Pool:
    """While entered, SIGINT and SIGTERM set `signal` and return; a second one acts at once.

    On leaving, whatever still runs is killed, and a pool that was stopped ends with SystemExit (130 or 143).
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.running: list[Training] = []
        self._interruption = Interruption(
            lambda name: print(f"{name}: what runs is saved and ends (once more to stop at once)", flush=True)
        )

    @property
    def signal(self) -> int | None:
        """The first signal that came."""
        return self._interruption.signal

    def __enter__(self) -> Pool:
        self._interruption.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        self._interruption.__exit__(kind, *error)
        for training in self.running:
            training.kill()
        if kind is None and self.signal is not None:
            raise SystemExit(self._interruption.exit_code)

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
