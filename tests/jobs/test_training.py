"""A training in its own process: how it ends, and that it does not outlive whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan_lab.errors import ConfigError
from gan_lab.jobs.supervisor import End
from gan_lab.jobs.training import COMMAND, Launch, Training

unix = pytest.mark.skipif(os.name == "nt", reason="signals")


def ended(training: Training) -> End:
    until = time.monotonic() + 60
    while (end := training.poll()) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert end is not None
    return end


def begun(what: str, here: Path) -> Training:
    return Training(["train", f"what={what}", "hydra.run.dir=run"], here / "run", here / ".said" / "0.txt")


@unix
@pytest.mark.parametrize(
    ("what", "state", "error"),
    [
        ("crashes", "failed", "RuntimeError: out of luck"),
        ("refused", "refused", "wrappers: do not fit"),
        ("killed", "failed", "its process was ended by SIGKILL (out of memory?)"),
        ("ended", "failed", "its process was ended by SIGTERM"),
        ("silent", "failed", "exit code 3"),
        ("early", "failed", "it ended without finishing"),
    ],
)
def test_why_it_failed(fake: Path, what: str, state: str, error: str) -> None:
    end = ended(begun(what, fake))
    assert (end.state, end.error) == (state, error)
    assert end.traceback == ("a warning\n" if what == "crashes" else "")


def test_one_that_finishes(fake: Path) -> None:
    end = ended(begun("ends:1", fake))
    assert (end.state, end.error) == ("finished", "")
    assert end.seconds is not None
    assert end.seconds > 0


@unix
def test_it_is_asked_to_end(fake: Path) -> None:
    training = begun("waits:1", fake)
    while not (fake / "run/metrics.jsonl").exists():
        time.sleep(0.01)
    assert training.poll() is None
    training.stop()
    training.stop()
    assert ended(training).state == "stopped"


@unix
def test_one_that_ends_before_it_could_save_was_interrupted(fake: Path) -> None:
    training = begun("waits:1", fake)
    training.stop()
    assert ended(training).state == "interrupted"


@unix
def test_one_that_hangs_is_killed(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = begun("hangs", fake)
    while not (fake / "run/metrics.jsonl").exists():
        time.sleep(0.01)
    training.stop()
    assert training.poll() is None
    monkeypatch.setattr("gan_lab.jobs.training.PATIENCE", 0.0)
    assert ended(training).state == "interrupted"


@pytest.mark.parametrize(
    ("launch", "threads"),
    [(Launch(), None), (Launch(10_000), 1), (Launch(10_000, ("srun",)), None)],  # elsewhere there are other cores
)
def test_cores_are_shared(launch: Launch, threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("gan_lab.jobs.training.Training", lambda *args: told.extend(args))
    launch.begin(Path("r"), "none/0", ["seed=1"])
    assert told == [["train", "seed=1"], Path("r/none/0"), Path("r/.said/none-0.txt"), threads, launch.launcher]


@unix
def test_a_launcher_starts_it_and_hands_on_signals(fake: Path) -> None:
    """`sh` stands for `srun`: it says that it was there, and becomes the training."""
    launch = Launch.of({"workers": 1, "launch": ["sh", "-c", 'echo $1 > there; shift; exec "$@"', "srun", 7]})
    training = launch.begin(fake, "run", ["what=waits:1", "hydra.run.dir=run"])
    while not (fake / "run/metrics.jsonl").exists():
        time.sleep(0.01)
    assert (fake / "there").read_text() == "7\n"
    training.stop()
    assert ended(training).state == "stopped"


@pytest.mark.parametrize(
    ("launch", "complaint"),
    [
        ("srun", r"launch: 'srun' is not a list of words, e.g. 'launch=\[srun,\"--gpus=1\"\]'"),
        ([["srun"]], r"launch: \[\['srun'\]\] is not a list of words"),
        (["no_such_program", "-n"], "launch: there is no program no_such_program here"),
    ],
)
def test_what_cannot_launch(launch: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Launch.of({"workers": 1, "launch": launch})


@unix
def test_the_child_is_the_command_and_ends_with_its_starter(here: Path) -> None:
    (here / "types.py").write_text("raise ImportError('the working directory came first')\n")
    end, ours = os.pipe()
    done = subprocess.run([*COMMAND, "--version"], stdin=end, capture_output=True, text=True, timeout=60)
    os.close(end)
    os.close(ours)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gan-lab ")
    code = "import sys; sys.path[:0] = sys.argv[1:]; import gan_lab.jobs.child as c; c.end_with_starter()"
    argv = [sys.executable, "-I", "-c", code, str(Path(__file__).parents[2])]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == -signal.SIGTERM
