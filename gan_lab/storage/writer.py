"""Work that the next round need not wait for: files, pictures and log lines are written by one thread, in order."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable
from queue import Empty, Queue

log = logging.getLogger(__name__)

Job = Callable[[], object]


class Writer:
    """Runs jobs one after another, in the order in which they came, on a thread of its own.

    `limit` jobs wait at most: `submit` waits where there are more, so a slow disk slows the run and fills no memory.
    The jobs of one writer all run on the same thread, which starts with the first of them and ends with `close`.

    A job that raised is told by the next `check` or `flush`, which raise the same exception in the caller's thread. The
    jobs behind it run all the same, because each file is whole or absent on its own; what they raise is told in turn.
    `submit`, `wait` and `close` raise nothing of a job's, so that a run that has failed can still write down why.

    The thread is a daemon, and ends when its writer is forgotten: it keeps no dying process alive, and a process that
    is killed loses what was waiting, as it would have lost the rounds behind it. A forked child has no such thread;
    gan-lab's launchers start their processes before there is one. Jobs keep torch's arithmetic out: a second thread
    that computes gets a second team of OpenMP threads, and on a CPU the two teams stall one another.
    """

    IDLE = 5.0  # seconds between two looks at whether the writer still exists

    def __init__(self, limit: int = 16) -> None:
        self._jobs: Queue[Job | None] = Queue(limit)
        self._failures: deque[BaseException] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Have `job` done after all that were submitted before; waits while `limit` of them wait."""
        if self._thread is None:
            mine = (self._jobs, self._failures, weakref.ref(self))
            self._thread = threading.Thread(target=_work, args=mine, name="gan-lab-writer", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def check(self) -> None:
        """Raise what the earliest job that failed unheard has raised, if one has."""
        if self._failures:
            raise self._failures.popleft()

    def wait(self) -> None:
        """Return when everything submitted has been done."""
        self._jobs.join()

    def flush(self) -> None:
        """`wait`, then `check`."""
        self.wait()
        self.check()

    def close(self) -> None:
        """Do everything submitted, then end the thread; failures that nobody asked for are logged."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()
        while self._failures:
            log.warning("%s", " ".join(str(self._failures.popleft()).split()))


class AtOnce(Writer):
    """Runs every job in the caller's thread before `submit` returns, which raises what it raised."""

    def submit(self, job: Job) -> None:
        job()


def _work(jobs: Queue[Job | None], failures: deque[BaseException], writer: weakref.ref[Writer]) -> None:
    while True:
        try:
            job = jobs.get(timeout=Writer.IDLE)
        except Empty:
            if writer() is None:
                return
            continue
        try:
            if job is None:
                return
            job()
        except BaseException as error:
            failures.append(error)
        finally:
            del job  # it may hold a checkpoint: not until the next job comes
            jobs.task_done()
