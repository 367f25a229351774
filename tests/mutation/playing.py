"""Playing the nearest tests of a mutant, in a copy of the tree and a child of this process."""

from __future__ import annotations

import compileall
import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutation.mutant import Mutant

TREE = Path(__file__).parents[2]
COPIED = ("gan_lab", "configs", "tests", "pyproject.toml", "README.md", ".github")
NEEDED = (  # by every child, and what takes seconds to load
    *("pytest", "torch", "torch.utils._pytree", "torch.distributed", "torch._dynamo", "torchvision", "hydra"),
    *("hydra.core.global_hydra", "hydra._internal.hydra", "omegaconf", "PIL.Image", "PIL.ImageFont", "scipy.linalg"),
    *("scipy.special", "torch.utils.tensorboard", "torch.fx", "torch.utils.flop_counter", "yaml", "numpy.testing"),
)
CPU_SECONDS = 300  # after which a mutant counts as killed, whatever else the machine does
SECONDS = 3600
BROKEN = 99  # the exit code of a child that could not play tests


class Result(NamedTuple):
    """What came of a mutant: `killed` (by the test `by`), `survived`, or `untested` where it has no tests."""

    outcome: str
    by: str
    seconds: float


class Copy:
    """A copy of the tree that one mutant at a time lives in."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.root = folder / "tree"
        self.root.mkdir()
        for name in COPIED:
            if (tree / name).is_dir():
                shutil.copytree(tree / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (tree / name).exists():
                shutil.copy2(tree / name, self.root / name)
        compileall.compile_dir(self.root / "gan_lab", quiet=2)

    def put(self, mutant: Mutant, original: bool = False) -> None:
        """Change the file, or change it back. Compiled code is told by its time and size, which may stay: it goes."""
        path = self.root / mutant.path
        path.write_bytes(mutant.source if original else mutant.changed)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def load_what_is_needed() -> None:
    """Load what every child needs, once."""
    for name in NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def play(copy: Copy, tests: Sequence[str], deselected: Sequence[str]) -> tuple[int, list[str]]:
    """Play tests in a child of this process, which has imported torch already: exit code, and the tests that failed."""
    told = copy.root.parent / "told.json"
    told.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            code = _play_as_child(copy, tests, deselected, told)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + SECONDS
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.1)
    code = os.waitstatus_to_exitcode(status)
    if code == BROKEN:
        raise RuntimeError((copy.root.parent / "output.txt").read_text())
    return code, json.loads(told.read_text()) if told.exists() else []


def _play_as_child(copy: Copy, tests: Sequence[str], deselected: Sequence[str], told: Path) -> int:
    import pytest

    os.setsid()
    with open(copy.root.parent / "output.txt", "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, 3600))
    os.chdir(copy.root)
    sys.dont_write_bytecode = True
    sys.path[:] = [str(copy.root), *(path for path in sys.path if Path(path or ".").resolve() != TREE)]
    os.environ |= {"PYTHONPATH": str(copy.root), "OMP_NUM_THREADS": "1"}
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "gan_lab")]:
        del sys.modules[name]

    class Failures:
        found: list[str] = []  # noqa: RUF012

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                self.found.append(report.nodeid)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                self.found.append(report.nodeid)

        def pytest_sessionfinish(self) -> None:
            told.write_text(json.dumps(self.found))

    words = ["-W", "ignore:Module already imported", "-n0", "-p", "no:cacheprovider", "--tb=short", "-x", *tests]
    for test in deselected:
        words += ["--deselect", test]
    return int(pytest.main(words, plugins=[Failures()]))


class Judge:
    """Plays the tests of mutants. A test that fails without any mutant tells nothing: what kills is played without one,
    once, and left out from then on where it fails all the same."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy
        self.sound: dict[str, bool] = {}  # tests that killed, and whether they pass without a mutant

    def judge(self, mutant: Mutant, tests: Sequence[str]) -> Result:
        """Put a mutant into the copy, play its tests, and take it out again."""
        start = time.monotonic()
        code, by = 5, ""
        while tests:
            code, by = self._play(mutant, tests)
            if "::" not in by or self.is_sound(by):
                break
        outcome = {0: "survived", 5: "untested"}.get(code, "killed")
        if outcome == "killed" and not by:
            by = "time" if code < 0 else f"exit code {code}"
        return Result(outcome, by, round(time.monotonic() - start, 1))

    def _play(self, mutant: Mutant, tests: Sequence[str]) -> tuple[int, str]:
        self.copy.put(mutant)
        try:
            code, failed = play(self.copy, tests, [test for test, sound in self.sound.items() if not sound])
        finally:
            self.copy.put(mutant, original=True)
        return code, failed[0] if failed else ""

    def is_sound(self, test: str) -> bool:
        """Whether a test passes without any mutant."""
        if test not in self.sound:
            self.sound[test] = play(self.copy, [test], [])[0] == 0
            if not self.sound[test]:
                print(f"fails without any mutant: {test}", flush=True)
        return self.sound[test]
