"""A job in a process of its own: its threads, its voice, its signals."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_lab.command_line.console import Console
from gan_lab.jobs import worker
from gan_lab.records.sweep import ask_to_stop
from gan_lab.training.interruption import Interruption

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_job_takes_its_share_of_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with worker.as_worker(tmp_path, 2):
        assert os.environ["OMP_NUM_THREADS"] == "7"
    monkeypatch.delenv("OMP_NUM_THREADS")
    with worker.as_worker(tmp_path, None):
        assert "OMP_NUM_THREADS" not in os.environ
    with worker.as_worker(tmp_path, 2):
        assert os.environ["OMP_NUM_THREADS"] == "2"


def test_the_terminal_is_left_alone(tmp_path: Path) -> None:
    root = logging.getLogger()
    root.addHandler(Console())
    with worker.as_worker(tmp_path, None):
        assert not any(isinstance(handler, Console) for handler in root.handlers)


def test_a_run_is_stopped_by_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "EVERY", 0.01)
    (tmp_path / ".jobs").mkdir()
    with worker.as_worker(tmp_path, None), Interruption() as interruption:
        time.sleep(0.1)
        assert interruption.signal is None
        ask_to_stop(tmp_path, True)
        for _ in range(100):
            time.sleep(0.01)
        assert interruption.signal == signal.SIGTERM
    assert not any(thread.name == "stop_when_asked" for thread in threading.enumerate())


def test_a_warning_saves_before_it_requeues(handlers: None) -> None:
    called: list[int] = []
    signal.signal(signal.SIGUSR2, lambda number, frame: called.append(number))
    signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    worker.save_before_requeue()
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGUSR2)
        assert (interruption.signal, called) == (signal.SIGTERM, [])
    interruption.call_previous_handler()
    assert called == [signal.SIGUSR2]


def test_a_warning_before_the_run_requeues_at_once_and_a_plain_end_does_not(handlers: None) -> None:
    called: list[int] = []
    signal.signal(signal.SIGUSR2, lambda number, frame: called.append(number))
    signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    worker.save_before_requeue()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGUSR2)
    assert called == [signal.SIGTERM, signal.SIGUSR2]
