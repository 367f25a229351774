"""A job of a sweep in a process that a launcher of Hydra's started (submitit): its voice, and how it is stopped.

The process that started the sweep is the only one that speaks to the terminal; a job speaks to its own log.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gan_lab.command_line.console import Console
from gan_lab.jobs.training import limit_threads
from gan_lab.records.sweep import stop_asked
from gan_lab.training.interruption import Interruption

EVERY = 0.3  # seconds between looks at a file


@contextmanager
def as_worker(sweep: Path, threads: int | None) -> Iterator[None]:
    """Settle in for one job: quiet, on its share of the cores, ready to be stopped by file or by signal."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Console)]:
        root.removeHandler(handler)
    limit_threads(os.environ, threads)
    save_before_requeue()
    done = threading.Event()
    watcher = threading.Thread(target=stop_when_asked, args=(sweep, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def stop_when_asked(sweep: Path, done: threading.Event) -> None:
    """End the run in this process once the sweep is to stop; a terminal may have told it already."""
    while not done.wait(EVERY):
        listening = open_interruption()
        if listening is not None and listening.signal is None and stop_asked(sweep):
            os.kill(os.getpid(), signal.SIGTERM)
            return


def open_interruption() -> Interruption | None:
    """Whoever turns signals into a flag at this moment: training has begun."""
    owner = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return owner if isinstance(owner, Interruption) else None


def save_before_requeue() -> None:
    """Let a cluster's warning (submitit: SIGUSR2) save the run first; then the handler that requeues the job is called.

    The warning becomes a SIGTERM, which a run answers with a checkpoint before it calls who listened to SIGTERM before.
    """
    number = getattr(signal, f"SIG{os.environ.get('SUBMITIT_PREEMPT_SIGNAL', 'USR2')}", None)
    requeue = signal.getsignal(number) if number is not None else None
    if number is None or not callable(requeue) or threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    warned = False

    def warn(_: int, frame: FrameType | None) -> None:
        nonlocal warned
        warned = True
        if open_interruption() is None:  # nothing to save yet
            requeue(number, frame)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    def end(signal_number: int, frame: FrameType | None) -> None:
        if warned:
            requeue(number, frame)
        elif callable(before):
            before(signal_number, frame)

    signal.signal(signal.SIGTERM, end)
    signal.signal(number, warn)
