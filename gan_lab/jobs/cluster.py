"""Jobs of a sweep that a launcher of Hydra's starts (submitit), perhaps on other machines, and that write notes."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Sequence

from hydra.plugins.launcher import Launcher

from gan_lab.jobs.supervisor import End
from gan_lab.records.sweep import Numbered, Sweep, ask_to_stop
from gan_lab.storage.lock import is_held

Planned = tuple[Numbered, list[str]]  # a job, and the overrides that it is to be started with
SILENCE = 10.0  # seconds without news, once a launcher has given up, before its jobs count as dead


class Submission(threading.Thread):
    """Jobs that a launcher gets at once, for a Supervisor one process; the launcher waits for them in this thread.

    `tell` hears what becomes of each. A launcher that loses a process gives up on the others, which may go on: they are
    waited for. A job that was stopped may begin again, put back into a queue, as long as the launcher waits.
    """

    def __init__(
        self, launcher: Launcher, sweep: Sweep, planned: Sequence[Planned], tell: Callable[[Numbered, End], None]
    ) -> None:
        super().__init__(daemon=True)
        self._launcher = launcher
        self._sweep = sweep
        self._jobs = [job for job, _ in planned]
        self._words = [words for _, words in planned]
        self._tell = tell
        self._error = ""
        self._until = math.inf
        self.start()

    def run(self) -> None:
        """A terminal's Ctrl-C is kept from the processes that are started here: one that does not know how to save
        would take its jobs with it."""
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self._launcher.launch(self._words, initial_job_idx=Numbers([job.number for job in self._jobs]))
        except Exception as error:
            self._error = f"the launcher gave up: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        finally:
            self._until = time.monotonic() + SILENCE

    def poll(self) -> End | None:
        over = not self.is_alive()  # looked at before the notes: none comes later
        for job in self._jobs:
            before = job.state
            note = self._sweep.read(job)
            if job.state != before:
                said = (str(note.get(key) or "") for key in ("error", "traceback"))
                self._tell(job, End(job.state, note.get("seconds"), *said))
        running = [job for job in self._jobs if job.state == "running"]
        missing = running or (self._error and any(job.state == "waiting" for job in self._jobs))
        if over and any(is_held(self._sweep.folder / job.folder) for job in running):
            self._until = time.monotonic() + SILENCE
        if not over or (missing and time.monotonic() < self._until):
            return None
        for job in running:
            self._tell(job, End("failed", error="its process ended without a word (killed, or out of memory?)"))
        return End("failed" if self._error else "finished", error=self._error)

    def stop(self) -> None:
        ask_to_stop(self._sweep.folder, True)

    def kill(self) -> None:
        """They are the launcher's; they have been asked to stop."""


class Numbers(int):
    """The numbers of a submission's jobs, which need not be in a row; a launcher numbers them `first + i`."""

    numbers: Sequence[int]

    def __new__(cls, numbers: Sequence[int]) -> Numbers:
        made = super().__new__(cls, numbers[0])
        made.numbers = numbers
        return made

    def __add__(self, index: int) -> int:
        return self.numbers[index]
