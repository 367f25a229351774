"""Jobs in other processes, several at a time: one begins when another has ended; a signal asks all to save and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

from gan_lab.training.interruption import Interruption

SECONDS = 0.2  # between looks at the processes
STOPPED = (130, 143)  # how a run that a signal stopped exits, saved


class End(NamedTuple):
    """How a process has left its job: the state (one of `Job`'s), and why where it has failed."""

    state: str
    seconds: float | None = None
    error: str = ""
    traceback: str = ""


class Process(Protocol):
    """What runs a job. `poll` gives None until it has ended; `stop` asks, once or again, that it save and end."""

    def poll(self) -> End | None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


J = TypeVar("J")
P = TypeVar("P", bound=Process)


class Supervisor:
    """Runs processes, `workers` at a time.

    Meanwhile the first SIGINT or SIGTERM sets `signal`, and all that run are asked to save and end; a second one acts
    at once. Whatever still runs when an error leaves `run` is killed.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.running: dict[Any, Any] = {}  # processes with their jobs
        self._interruption = Interruption(
            lambda name: print(f"{name}: what runs is saved and ends (once more to stop at once)", flush=True)
        )

    @property
    def signal(self) -> int | None:
        """The first signal that came."""
        return self._interruption.signal

    def run(
        self,
        jobs: Iterator[tuple[J, P]],
        ended: Callable[[J, End], None],
        watch: Callable[[J, P], None] = lambda job, process: None,
    ) -> None:
        """Take from `jobs`, which start their processes, as soon as there is room; `ended` is told what became of each.

        Raises SystemExit (130 or 143) at the end where a signal has come.
        """
        with self._interruption:
            try:
                while self._fill(jobs):
                    time.sleep(SECONDS)
                    self._look(ended, watch)
            finally:
                left, self.running = self.running, {}
                for process in left:
                    process.kill()
                for job in left.values():
                    ended(job, End("interrupted"))
        if self.signal is not None:
            raise SystemExit(self._interruption.exit_code)

    def _fill(self, jobs: Iterator[tuple[J, P]]) -> bool:
        """Start what there is room for. Returns whether anything runs."""
        while self.signal is None and len(self.running) < self.workers and (begun := next(jobs, None)) is not None:
            job, process = begun
            self.running[process] = job
        return bool(self.running)

    def _look(self, ended: Callable[[J, End], None], watch: Callable[[J, P], None]) -> None:
        """See what has become of each process."""
        for process, job in list(self.running.items()):
            if self.signal is not None:
                process.stop()
            end = process.poll()
            if end is not None:
                del self.running[process]
                ended(job, end)
            elif self.signal is None:
                watch(job, process)
