"""Several trainings at a time, and how a signal, or an error, ends them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_lab.jobs.supervisor import End, Supervisor
from gan_lab.jobs.training import Launch, Training


def begun(here: Path, *whats: str) -> Iterator[tuple[int, Training]]:
    for number, what in enumerate(whats):
        yield number, Launch().begin(here, str(number), [f"what={what}", f"hydra.run.dir={number}"])


def test_as_many_as_there_are_workers(fake: Path) -> None:
    supervisor = Supervisor(2)
    most, states = 0, {}

    def counted() -> Iterator[tuple[int, Training]]:
        nonlocal most
        for job in begun(fake, *["ends:1"] * 5):
            most = max(most, len(supervisor.running) + 1)
            yield job

    supervisor.run(counted(), lambda number, end: states.update({number: end.state}))
    assert (most, states) == (2, dict.fromkeys(range(5), "finished"))


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_runs_save_and_ends_with_its_code(
    fake: Path, which: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(which)
    ends = []
    supervisor = Supervisor(1)

    def watch(number: int, training: Training) -> None:
        if (training.folder / "metrics.jsonl").exists():
            assert supervisor.signal is None, "what is to end is not watched any more"
            os.kill(os.getpid(), which)

    with pytest.raises(SystemExit) as stopped:
        supervisor.run(begun(fake, *["waits:1"] * 3), lambda number, end: ends.append((number, end.state)), watch)
    assert stopped.value.code == 128 + which
    assert ends == [(0, "stopped")]
    assert not (fake / "1").exists()
    assert capsys.readouterr().out.startswith(f"{which.name}: what runs is saved and ends")
    assert signal.getsignal(which) == before


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_second_signal_acts_at_once(fake: Path) -> None:
    ends: list[End] = []

    def watch(number: int, training: Training) -> None:
        if (training.folder / "metrics.jsonl").exists():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Supervisor(1).run(begun(fake, "hangs"), lambda _, end: ends.append(end), watch)
    assert ends == [End("interrupted")]


def test_an_error_leaves_nothing_running(fake: Path) -> None:
    trainings, ends = [], []

    def watch(number: int, training: Training) -> None:
        trainings.append(training)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Supervisor(2).run(begun(fake, "waits:1", "hangs"), lambda number, end: ends.append((number, end)), watch)
    assert ends == [(0, End("interrupted")), (1, End("interrupted"))]
    end = trainings[0].poll()
    assert end is not None
    assert "SIGKILL" in end.error or os.name == "nt"


def test_outside_the_main_thread_signals_stay_as_they_are(fake: Path) -> None:
    states: list[str] = []

    def run() -> None:
        Supervisor(1).run(begun(fake, "ends:1"), lambda _, end: states.append(end.state))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert states == ["finished"]
