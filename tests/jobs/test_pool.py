"""Several trainings at a time, and how a signal ends them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from gan_lab.jobs.pool import Pool
from gan_lab.jobs.training import Training, words_of


def begun(what: str, here: Path, number: int) -> Training:
    folder = here / str(number)
    return Training(words_of([], [f"what={what}"], folder), folder, here / ".said" / f"{number}.txt")


def test_as_many_as_there_are_workers(fake: Path) -> None:
    left = list(range(5))
    most, codes = 0, []
    with Pool(2) as pool:

        def begin() -> Training | None:
            nonlocal most
            training = begun("ends:1", fake, left.pop()) if left else None
            most = max(most, len(pool.running) + (training is not None))
            return training

        pool.run(begin, lambda training, code: codes.append(code))
    assert (most, codes) == (2, [0] * 5)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_runs_save_and_ends_with_its_code(
    fake: Path, which: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(which)
    left, codes = [0, 1, 2], []

    def watch(training: Training) -> None:
        if (training.folder / "metrics.jsonl").exists() and pool.signal is None:
            os.kill(os.getpid(), which)

    with pytest.raises(SystemExit) as stopped, Pool(1) as pool:
        pool.run(
            lambda: begun("waits:1", fake, left.pop()) if left else None, lambda _, code: codes.append(code), watch
        )
    assert stopped.value.code == 128 + which
    assert (codes, left) == ([143], [0, 1])
    assert capsys.readouterr().out.startswith(f"{which.name}: what runs is saved and ends")
    assert signal.getsignal(which) == before


def test_an_error_leaves_nothing_running(fake: Path) -> None:
    trainings = []

    def watch(training: Training) -> None:
        trainings.append(training)
        raise RuntimeError

    with pytest.raises(RuntimeError), Pool(1) as pool:
        pool.run(lambda: begun("waits:1", fake, 0), lambda *_: None, watch)
    assert trainings[0].poll() == (-9 if os.name != "nt" else 1)


def test_outside_the_main_thread_signals_stay_as_they_are(fake: Path) -> None:
    codes: list[int] = []
    left = [0]

    def run() -> None:
        with Pool(1) as pool:
            pool.run(lambda: begun("ends:1", fake, left.pop()) if left else None, lambda _, code: codes.append(code))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert codes == [0]
