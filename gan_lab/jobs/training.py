"""One `gan-lab train` in a process of its own: a crash, or the system out of memory, costs one run and no more."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gan_lab.command_line.overrides import quote, read
from gan_lab.command_line.stored_overrides import COMPUTING, is_among
from gan_lab.config import require_whole
from gan_lab.errors import ConfigError
from gan_lab.jobs.worker import cores

COMMAND = (sys.executable, str(Path(__file__).with_name("child.py")))
PATIENCE = 60.0  # seconds in which a training that was asked to end may save
LINES = 100_000  # bytes of what a training said that are looked at


class Training:
    """`words` are what follows `gan-lab`; `said` is the file that keeps what it says on standard error; `launcher` is
    the command that starts it, where this machine does not.

    It is in a session of its own, so that a terminal's Ctrl-C reaches only whoever started it.
    """

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        said: Path,
        threads: int | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
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
                [*launcher, *COMMAND, *words],
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


def words_to_go_on(base: Sequence[str], folder: Path, flags: Sequence[str] = ()) -> list[str]:
    """The command line that goes on with the run in `folder`, which keeps all of `base` but what may change."""
    computing = [word for word in base if is_among(read(word).key, COMPUTING)]
    return ["train", *flags, *computing, f"resume={quote(str(folder))}"]


class Launch(NamedTuple):
    """How trainings are started: so many at once, and by which command, where not simply on this machine.

    A `launcher` stays in the foreground until the training has ended, and hands on its signals, standard input and
    exit code, as `srun` does: then a training is stopped, and ends with its starter, wherever it runs.
    """

    workers: int = 1
    launcher: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Launch:
        """From `workers` and `launch`. Raises ConfigError."""
        launcher = config["launch"]
        if not isinstance(launcher, list) or not all(isinstance(word, (str, int, float)) for word in launcher):
            raise ConfigError(f"launch: {launcher!r} is not a list of words, e.g. launch=[srun,--gpus=1]")
        words = tuple(map(str, launcher))
        if words and shutil.which(words[0]) is None:
            raise ConfigError(f"launch: there is no program {words[0]} here; launch=[] trains on this machine")
        return cls(require_whole(config["workers"], "workers"), words)

    def begin(self, words: Sequence[str], folder: Path, said: Path) -> Training:
        """Start one. Several on this machine share its cores; who starts them elsewhere says what they have."""
        threads = max(cores() // self.workers, 1) if self.workers > 1 and not self.launcher else None
        return Training(words, folder, said, threads, self.launcher)
