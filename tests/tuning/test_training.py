"""A training in its own process: how it ends, and that it does not outlive whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan_lab.tuning.training import COMMAND, Training, share, words_of

unix = pytest.mark.skipif(os.name == "nt", reason="signals")


def ended(training: Training) -> int:
    until = time.monotonic() + 60
    while (code := training.poll()) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert code is not None
    return code


def begun(what: str, here: Path) -> Training:
    return Training(words_of([], [f"what={what}"], here / "run"), here / "run", here / ".said" / "0.txt")


@unix
@pytest.mark.parametrize(
    ("what", "code", "complaint"),
    [
        ("crashes", 1, "RuntimeError: out of luck"),
        ("refused", 2, "wrappers: do not fit"),
        ("killed", -signal.SIGKILL, "its process was ended by SIGKILL (out of memory?)"),
    ],
)
def test_why_it_failed(fake: Path, what: str, code: int, complaint: str) -> None:
    training = begun(what, fake)
    assert ended(training) == code
    assert training.complaint(code) == complaint


def test_one_that_says_nothing(fake: Path) -> None:
    training = begun("ends:1", fake)
    assert ended(training) == 0
    assert training.complaint(1) == "exit code 1"


@unix
def test_it_is_asked_to_end(fake: Path) -> None:
    training = begun("waits:1", fake)
    while not (fake / "run/metrics.jsonl").exists():
        time.sleep(0.01)
    assert training.poll() is None
    training.stop()
    training.stop()
    assert ended(training) == 143


def test_the_command_line() -> None:
    words = words_of(["seed=1"], ["lr=0.1"], Path("/a b"), ["--config-dir=/c"])
    assert words == ["train", "--config-dir=/c", "seed=1", "lr=0.1", "hydra.run.dir='/a b'"]


def test_cores_are_shared() -> None:
    assert share(1) is None
    assert share(10_000) == 1


@unix
def test_the_child_is_the_command_and_ends_with_its_starter(here: Path) -> None:
    (here / "types.py").write_text("raise ImportError('the working directory came first')\n")
    end, ours = os.pipe()
    done = subprocess.run([*COMMAND, "--version"], stdin=end, capture_output=True, text=True, timeout=60)
    os.close(end)
    os.close(ours)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gan-lab ")
    code = "import sys; sys.path[:0] = sys.argv[1:]; import gan_lab.tuning.child as c; c.end_with_starter()"
    argv = [sys.executable, "-I", "-c", code, str(Path(__file__).parents[2])]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == -signal.SIGTERM
