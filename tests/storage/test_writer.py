"""Jobs run in order on one thread, tell how they failed, and hold nothing up."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from gan_lab.storage.writer import AtOnce, Writer


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "gan-lab-writer"]


def ended(thread: threading.Thread) -> bool:
    thread.join(5)
    return not thread.is_alive()


def test_jobs_run_in_order_on_one_thread_that_ends() -> None:
    writer, done = Writer(limit=3), []
    for number in range(20):
        writer.submit(lambda number=number: done.append((number, threading.current_thread())))
    writer.flush()
    assert [number for number, _ in done] == list(range(20))
    (thread,) = {thread for _, thread in done}
    assert threads() == [thread]
    writer.close()
    writer.close()
    assert threads() == []


def test_no_thread_before_the_first_job_and_another_after_close() -> None:
    writer, done = Writer(), []
    writer.close()
    writer.flush()
    assert threads() == []
    for number in range(2):
        writer.submit(lambda number=number: done.append(number))
        writer.close()
    assert done == [0, 1]


def test_failures_are_the_same_exceptions_in_turn_and_stop_nothing_behind_them() -> None:
    writer, done = Writer(), []
    first, second = IndexError("first"), KeyboardInterrupt("second")

    def fail(error: BaseException) -> None:
        raise error

    writer.check()
    for job in (lambda: fail(first), lambda: done.append(1), lambda: fail(second), lambda: done.append(2)):
        writer.submit(job)
    writer.wait()
    for error in (first, second):
        with pytest.raises(type(error)) as caught:
            writer.check()
        assert caught.value is error
    writer.submit(lambda: fail(first))
    with pytest.raises(IndexError):
        writer.flush()
    writer.flush()
    writer.close()
    assert done == [1, 2]


def test_a_failure_that_nobody_asked_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer()
    writer.submit(lambda: 1 / 0)
    writer.close()
    assert [record.getMessage() for record in caplog.records] == ["division by zero"]
    assert caplog.records[0].levelno == logging.WARNING


def test_submit_waits_where_enough_are_waiting() -> None:
    writer, gate, passed = Writer(limit=2), threading.Event(), threading.Event()
    begun = threading.Event()
    writer.submit(lambda: (begun.set(), gate.wait()))
    begun.wait()
    for _ in range(2):
        writer.submit(lambda: None)
    other = threading.Thread(target=lambda: (writer.submit(lambda: None), passed.set()))
    other.start()
    assert not passed.wait(0.1)
    gate.set()
    assert passed.wait(5)
    writer.close()
    assert ended(other)


class Large:
    def touch(self) -> None: ...


def test_what_a_job_holds_is_let_go_when_it_is_done() -> None:
    writer, large = Writer(), Large()
    alive = weakref.ref(large)
    writer.submit(large.touch)
    del large
    writer.wait()
    assert alive() is None
    writer.close()


def test_a_forgotten_writer_takes_its_thread_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "IDLE", 0.01)
    writer, done = Writer(), []
    writer.submit(lambda: done.append(1))
    writer.wait()
    (thread,) = threads()
    time.sleep(0.05)
    assert thread.is_alive()
    del writer
    assert ended(thread)
    assert done == [1]


@pytest.mark.parametrize(("words", "code"), [("raise SystemExit(3)", 3), ("1 / 0", 1), ("pass", 0)])
def test_a_job_that_hangs_keeps_no_process_alive(words: str, code: int) -> None:
    begin = "import time; from gan_lab.storage.writer import Writer; w = Writer(); w.submit(lambda: time.sleep(99))"
    script = f"{begin}; {words}"
    done = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True, check=False)
    assert done.returncode == code


def test_at_once() -> None:
    writer, where = AtOnce(), []
    writer.submit(lambda: where.append(threading.current_thread()))
    assert where == [threading.current_thread()]
    with pytest.raises(ZeroDivisionError):
        writer.submit(lambda: 1 / 0)
    writer.flush()
    writer.close()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_writing_wakes_no_second_team_of_threads(tmp_path: Path) -> None:
    """A checkpoint, a PNG and TensorBoard's picture, all large enough to be cut up, in a process with three threads."""
    script = """
import os, sys, torch
from pathlib import Path
from types import SimpleNamespace
from gan_lab.storage import checkpoint
from gan_lab.storage.writer import Writer
from gan_lab.callbacks.samples import SampleGrids
from gan_lab.loggers.base import Loggers
from gan_lab.loggers.tensorboard import TensorBoard

torch.set_num_threads(3)
folder, writer = Path(sys.argv[1]), Writer()
run = SimpleNamespace(folder=folder, writer=writer, loggers=Loggers({"tensorboard": TensorBoard()}, writer))
state = {**dict.fromkeys(checkpoint.KEYS, 0), "networks": {"w": torch.rand(1000, 1000)}}
picture = torch.rand(3, 600, 600).mul(255).to(torch.uint8)
(torch.rand(1000, 1000) + 1).sum()
count = lambda: len(os.listdir("/proc/self/task"))
run.loggers.open(folder, 0)
writer.flush()
before = count()
SampleGrids()._submit(run, 1, "samples", "samples.png", picture, {})
run.loggers.scalars(1, {"loss": 1.0})
writer.submit(lambda: checkpoint.save(folder, state, 1))
writer.flush()
after = count()
writer.submit(lambda: (torch.rand(1000, 1000) + 1).sum())
writer.flush()
print(before, after, count())
assert before == after < count()
run.loggers.close()
writer.close()
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "samples" / "samples.png").exists()
    assert (tmp_path / "last.pt").exists()
