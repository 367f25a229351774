"""One `gan-lab train` in a process of its own: a crash, or the system out of memory, costs one run and no more."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gan_lab import config
from gan_lab.distributed.processes import cores
from gan_lab.errors import ConfigError
from gan_lab.jobs.supervisor import STOPPED, End, Supervisor
from gan_lab.records.sweep import Job
from gan_lab.storage.files import read_json

COMMAND = (sys.executable, str(Path(__file__).with_name("child.py")))
PATIENCE = 60.0  # seconds in which a training that was asked to end may save
LINES = 100_000  # bytes of what a training said that are looked at
SPEAKER = "gan-lab train: "
J = TypeVar("J", bound=Job)


class Training:
    """`words` are what follows `gan-lab`; `said` is the file that keeps what it says on standard error; `launcher` is
    the command that starts it, where this machine does not.

    It is in a session of its own, so that a terminal's Ctrl-C reaches only whoever started it.
    """

    def __init__(
        self, words: Sequence[str], folder: Path, said: Path, threads: int | None = None, launcher: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._said = said
        self._asked: float | None = None
        self._began = time.monotonic()
        said.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        limit_threads(environment, threads)
        with open(said, "wb") as file:
            self._process = subprocess.Popen(
                [*launcher, *COMMAND, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # it is in train.log
                stderr=file,
                env=environment,
                start_new_session=True,
            )

    def poll(self) -> End | None:
        """How it has ended; None while it runs."""
        if self._asked is not None and time.monotonic() - self._asked > PATIENCE:
            self._process.kill()
        code = self._process.poll()
        if code is None:
            return None
        if self._process.stdin is not None:
            self._process.stdin.close()
        seconds = round(time.monotonic() - self._began, 3)
        if code == 0 and read_json(self.folder / "summary.json").get("state") == "finished":
            return End("finished", seconds)
        if self._asked is not None:
            return End("stopped" if code in STOPPED else "interrupted", seconds)
        return End("refused" if code == ConfigError.exit_code else "failed", seconds, *self._complaint(code))

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

    def _complaint(self, code: int) -> tuple[str, str]:
        """Why it failed, in one line, and what it had said before."""
        if code == 0:
            return "it ended without finishing", ""
        number = code - 128 if code in STOPPED else -code
        if number > 0:
            name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
            return f"its process was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else ""), ""
        with open(self._said, "rb") as file:
            file.seek(max(self._said.stat().st_size - LINES, 0))
            lines = [line for line in file.read().decode(errors="replace").split("\n") if line.strip()]
        told = [at for at, line in enumerate(lines) if line.startswith(SPEAKER)] or [*range(len(lines))]
        if not told:
            return f"exit code {code}", ""
        return lines[told[-1]].strip().removeprefix(SPEAKER), "".join(f"{line}\n" for line in lines[: told[-1]])


def limit_threads(environment: MutableMapping[str, str], threads: int | None) -> None:
    """Let a process take so many cores (None: all), unless the user has said how many: processes that all take every
    core slow one another."""
    if threads is not None:
        environment.setdefault("OMP_NUM_THREADS", str(threads))


class Launch(NamedTuple):
    """How trainings are started: so many at once, with which flags of the command line, and by which other command,
    where not simply on this machine.

    A `launcher` stays in the foreground until the training has ended, and hands on its signals, standard input and
    exit code, as `srun` does: then a training is stopped, and ends with its starter, wherever it runs.
    """

    workers: int = 1
    launcher: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any], flags: Sequence[str] = ()) -> Launch:
        """From `workers` and `launch`. Raises ConfigError."""
        launcher = settings["launch"]
        if not isinstance(launcher, list) or not all(isinstance(word, (str, int, float)) for word in launcher):
            raise ConfigError(f"launch: {launcher!r} is not a list of words, e.g. 'launch=[srun,\"--gpus=1\"]'")
        words = tuple(map(str, launcher))
        if words and shutil.which(words[0]) is None:
            raise ConfigError(f"launch: there is no program {words[0]} here; launch=[] trains on this machine")
        return cls(config.require_whole(settings["workers"], "workers"), words, tuple(flags))

    def train(
        self,
        root: Path,
        jobs: Iterable[tuple[J, Sequence[str]]],
        tell: Callable[[J, End], None],
        watch: Callable[[J, Training], None] = lambda job, training: None,
    ) -> None:
        """Train jobs, which come with their overrides, in their folders below `root`. `tell` hears that one runs, and
        how it has ended.

        Raises SystemExit where a signal has stopped it.
        """

        def begun() -> Iterator[tuple[J, Training]]:
            for job, words in jobs:
                tell(job, End("running"))
                yield job, self.begin(root, job.folder, words)

        Supervisor(self.workers).run(begun(), tell, watch)

    def begin(self, root: Path, name: str, words: Sequence[str]) -> Training:
        """Start the run `name` of the folder `root`. Several on this machine share its cores; who starts them elsewhere
        says what they have."""
        threads = max(cores() // self.workers, 1) if self.workers > 1 and not self.launcher else None
        said = root / ".said" / f"{name.replace('/', '-')}.txt"
        return Training(["train", *self.flags, *words], root / name, said, threads, self.launcher)
