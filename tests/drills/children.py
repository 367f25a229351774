"""Commands of gan-lab in processes of their own, which may be killed at their n-th write."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from gan_lab.cli import main

PRELOADED = ["gan_lab.training.assemble", "gan_lab.train", "torch._dynamo", "torch.utils.tensorboard", "tests.conftest"]
CHANGES = {"os.rename": 1, "os.link": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0}  # which argument is the new name
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATIENCE = 240.0  # seconds after which a command counts as hung


class Death(NamedTuple):
    """Killed `seconds` after its `event`-th change below the folder: a file opened for writing, renamed, linked, ..."""

    event: int
    seconds: float = 0.0


class End(NamedTuple):
    """How a command has ended: its exit code, or minus the number of the signal, and what it said."""

    code: int
    out: str
    err: str


class Child:
    """`gan-lab WORDS` in `folder`. `before` is called in the process first, `death` ends it."""

    number = 0

    def __init__(
        self,
        folder: Path,
        *words: str,
        death: Death | None = None,
        before: Callable[..., Any] | None = None,
        given: Any = (),
    ) -> None:
        Child.number += 1
        self.said = folder / f".said-{Child.number}"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        options = (str(folder), words, os.environ["GAN_LAB_DATA"], str(self.said), death, before, tuple(given))
        self.process: BaseProcess = context.Process(target=play, args=options)
        self.process.start()

    def end(self, patience: float = PATIENCE) -> End:
        """Wait for it. Raises AssertionError, after killing it, where it hangs."""
        self.process.join(patience)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"did not end within {patience:.0f} s")
        texts = []
        for name in ("out", "err"):
            path = self.said.with_suffix(f".{name}")
            texts.append(path.read_text() if path.exists() else "")
            path.unlink(missing_ok=True)
        return End(int(self.process.exitcode), *texts)


def command(folder: Path, *words: str, patience: float = PATIENCE, **options: Any) -> End:
    """`gan-lab WORDS`, waited for."""
    return Child(folder, *words, **options).end(patience)


def play(
    folder: str,
    words: tuple[str, ...],
    root: str,
    said: str,
    death: Death | None,
    before: Callable[..., Any] | None,
    given: tuple[Any, ...],
) -> None:
    """In the process of its own."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{said}.{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.update(GAN_LAB_DATA=root, OMP_NUM_THREADS="1")
    os.chdir(folder)
    if before is not None:
        before(*given)
    if death is not None:
        sys.addaudithook(Executioner((folder, root), death))
    code = main(list(words))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


class Executioner:
    """An audit hook that counts changes below `folders`, and kills at the one that was named."""

    def __init__(self, folders: tuple[str, ...], death: Death) -> None:
        self.folders, self.death, self.left = folders, death, death.event

    def __call__(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open":
            path, flags = arguments[0], arguments[2]
            if not isinstance(path, (str, bytes)) or not isinstance(flags, int) or not flags & WRITING:
                return
        elif name in CHANGES:
            path = arguments[CHANGES[name]]
        else:
            return
        if not os.path.abspath(os.fsdecode(path)).startswith(self.folders):
            return
        self.left -= 1
        if self.left == 0:
            if self.death.seconds:
                threading.Thread(target=self.kill_later, daemon=True).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def kill_later(self) -> None:
        time.sleep(self.death.seconds)
        os.kill(os.getpid(), signal.SIGKILL)


def one_line(end: End, *words: str, code: int = 1) -> list[str]:
    """What is wrong with how a command has failed: one line on standard error, which has these words in it."""
    text = end.err.strip()
    if end.code == code and text.count("\n") == 0 and all(word in text.lower() for word in words):
        return []
    return [f"ended with {end.code} and said {text[-900:]!r}, not one line with {', '.join(words)}"]
