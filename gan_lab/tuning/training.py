"""One `gan-lab train` in a process of its own: a crash, or the system out of memory, costs one run and no more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gan_lab.command_line.abroad import cores
from gan_lab.command_line.overrides import quote

COMMAND = (sys.executable, str(Path(__file__).with_name("child.py")))
PATIENCE = 60.0  # seconds in which a training that was asked to end may save
LINES = 100_000  # bytes of what a training said that are looked at


class Training:
    """`words` are what follows `gan-lab`; `said` is the file that keeps what it says on standard error.

    It is in a session of its own, so that a terminal's Ctrl-C reaches only whoever started it.
    """

    def __init__(self, words: Sequence[str], folder: Path, said: Path, threads: int | None = None) -> None:
        self.folder = folder
        self.words = list(words)
        self._said = said
        self._asked: float | None = None
        self._began = time.monotonic()
        said.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        if threads is not None:
            environment.setdefault("OMP_NUM_THREADS", str(threads))
        with open(said, "wb") as file:
            self._process = subprocess.Popen(
                [*COMMAND, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # it is in train.log
                stderr=file,
                env=environment,
                start_new_session=True,
            )

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return round(time.monotonic() - self._began, 3)

    def poll(self) -> int | None:
        """The exit code (minus the signal's number where one ended it), None while it runs."""
        if self._asked is not None and time.monotonic() - self._asked > PATIENCE:
            self._process.kill()
        code = self._process.poll()
        if code is not None and self._process.stdin is not None:
            self._process.stdin.close()
        return code

    def stop(self) -> None:
        """Ask it, once, to save and end."""
        if self._asked is None:
            self._asked = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()
        self.poll()

    def complaint(self, code: int) -> str:
        """Why it failed, in one line."""
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"its process was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        with open(self._said, "rb") as file:
            file.seek(max(self._said.stat().st_size - LINES, 0))
            lines = file.read().decode(errors="replace").split("\n")
        told = [line for line in lines if line.startswith("gan-lab train: ")] or [
            line for line in lines if line.strip()
        ]
        return told[-1].strip().removeprefix("gan-lab train: ") if told else f"exit code {code}"


def words_of(base: Sequence[str], own: Sequence[str], folder: Path, flags: Sequence[str] = ()) -> list[str]:
    """The command line of a fresh run in `folder`: what was typed for all, then what is this one's own."""
    return ["train", *flags, *base, *own, f"hydra.run.dir={quote(str(folder))}"]


def share(workers: int) -> int | None:
    """The threads of each of several trainings; one alone decides for itself."""
    return max(cores() // workers, 1) if workers > 1 else None
