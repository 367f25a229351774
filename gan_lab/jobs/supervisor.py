"""Jobs that run in other processes: what becomes of them is said as it happens, and Ctrl-C lets them save first."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.plugins.launcher import Launcher

from gan_lab.command_line.console import say
from gan_lab.command_line.table import number
from gan_lab.jobs.job import Job
from gan_lab.jobs.worker import SECONDS
from gan_lab.records.record import held
from gan_lab.records.sweep import Entry, Sweep, ask_to_stop, read_note
from gan_lab.training.interruption import Interruption

PATIENCE = 10.0  # seconds without news, once a launcher has given up, before its jobs count as dead


class Supervisor:
    """Watches the notes of a sweep's jobs while a launcher waits for them.

    The first SIGINT or SIGTERM asks the jobs to save and end, a second one acts at once. On leaving, a sweep that was
    stopped ends with SystemExit (130 or 143). `shield` keeps a terminal's Ctrl-C from the processes that are started:
    one that does not know how to save would take its jobs with it.
    """

    def __init__(self, sweep: Sweep, job: Job, shield: bool = False) -> None:
        self.sweep = sweep
        self.job = job
        self.shield = shield and hasattr(signal, "pthread_sigmask")
        self._interruption = Interruption(self._ask_to_stop)
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    @property
    def signal(self) -> int | None:
        """The first signal that came."""
        return self._interruption.signal

    def __enter__(self) -> Supervisor:
        self._interruption.__enter__()
        self._watcher.start()  # from here on it is this thread that hears signals where the others are shielded
        if self.shield:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        self._interruption.__exit__(kind, *error)
        if self.shield:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        self._done.set()
        self._watcher.join()
        self._news()
        if kind is None and self.signal is not None:
            raise SystemExit(self._interruption.exit_code)

    def launch(self, launcher: Launcher, jobs: Sequence[Sequence[str]], first: int) -> None:
        """Run one batch. A launcher that loses a process gives up on the others; those are waited for."""
        try:
            launcher.launch(jobs, initial_job_idx=first)
        except Exception as error:
            self._wait_for_stragglers()
            reason = " ".join(str(error).split())[:200]
            for entry in self.sweep.entries:
                if entry.state == "running":
                    self._fail(entry, "its process ended without a word (killed, or out of memory?)")
            say(self.job.verb, f"the launcher gave up: {type(error).__name__}: {reason}")
            self.job.code = 1

    def _ask_to_stop(self, name: str) -> None:
        ask_to_stop(self.sweep.folder, True)
        print(f"{name}: the jobs save and end (once more to stop at once)", flush=True)

    def _watch(self) -> None:
        while not self._done.wait(SECONDS):
            self._news()

    def _news(self) -> bool:
        """Say what has changed. Returns whether anything has."""
        changed = self.sweep.refresh()
        for entry in changed:
            if entry.state == "failed":
                lines = read_note(self.sweep.folder, entry.job).get("traceback")
                self.job.tell(entry.name(), entry.error, str(lines or ""))
                continue
            what = "begins" if entry.state == "running" else entry.state
            if entry.state == "finished":
                what += f" in {number(entry.seconds)} s, {self.sweep.objective} {number(entry.objective)}"
            print(f"{entry.name()} {what}", flush=True)
        if changed:
            self.sweep.save()
        return bool(changed)

    def _wait_for_stragglers(self) -> None:
        """Wait for jobs that go on although their launcher has given up."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and any(entry.state in ("running", "waiting") for entry in self.sweep.entries):
            time.sleep(SECONDS)
            if any(entry.state == "running" and held(self.folder(entry)) for entry in self.sweep.entries):
                until = time.monotonic() + PATIENCE

    def folder(self, entry: Entry) -> Path:
        return self.sweep.folder / entry.folder

    def _fail(self, entry: Entry, why: str) -> None:
        entry.state, entry.error = "failed", why
        self.job.tell(entry.name(), why)
