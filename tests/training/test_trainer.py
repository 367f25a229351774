"""The loop waits for nothing that is written, and loses nothing of it."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.callbacks import samples, summary
from gan_lab.errors import GanLabError, NonFiniteError
from gan_lab.loggers.base import Logger
from gan_lab.loggers.jsonl import JsonLines, read_lines
from gan_lab.pictures import grid as images
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.callback import Callback
from gan_lab.training.run import Run
from gan_lab.training.trainer import fit
from tests.compose import composed
from tests.conftest import TINY, equal

SMALL = (*TINY, "model=gan_small", "optimizer/schedule=constant", "logger.tensorboard=null")


def ready(folder: Path, *overrides: str) -> tuple[Run, list[Callback]]:
    run, callbacks = assemble(composed(*SMALL, *overrides), folder)
    run.loggers.open(folder, 0)
    return run, callbacks


class Clock(Callback):
    """When the rounds were played, and what is to happen at one of them."""

    def __init__(self, act: dict[int, Any] | None = None) -> None:
        self.times: list[float] = []
        self.act = act or {}

    def on_step_end(self, run: Run) -> None:
        self.times.append(time.perf_counter())
        if run.step in self.act:
            self.act[run.step]()


def state_of(run: Run) -> Any:
    return json.loads((run.folder / "summary.json").read_text())


def writers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gan-lab-writer"]


def slow(function: Any, seconds: float) -> Any:
    def later(*args: Any, **settings: Any) -> Any:
        time.sleep(seconds)
        return function(*args, **settings)

    return later


def test_rounds_do_not_wait_for_disks_encoders_and_loggers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written before the second of four rounds was played (few jobs may wait); all is there at the end."""
    played, waits = threading.Event(), []

    def held(function: Any) -> Any:
        def later(*args: Any, **settings: Any) -> Any:
            waits.append(played.wait(120))
            return function(*args, **settings)

        return later

    monkeypatch.setattr(JsonLines, "scalars", held(JsonLines.scalars))
    monkeypatch.setattr(Logger, "image", held(Logger.image))
    monkeypatch.setattr(samples, "write_png", held(images.write_png))
    run, callbacks = ready(tmp_path, "trainer.max_steps=4", "trainer.sample_every=1", "trainer.checkpoint_every=0")
    fit(run, [Clock({2: played.set}), *callbacks])
    assert waits
    assert all(waits)
    assert [record["step"] for record in read_lines(tmp_path / "metrics.jsonl")] == [1, 2, 3, 4]
    assert len(list((tmp_path / "samples").glob("step-*.png"))) == 4
    assert writers() == []


def test_one_copy_of_the_state_at_a_time_and_the_last_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "save", slow(checkpoint.save, 0.1))
    run, callbacks = ready(tmp_path, "trainer.max_steps=4", "trainer.checkpoint_every=1", "trainer.sample_every=0")
    clock = Clock()
    fit(run, [*callbacks, clock])
    waited = clock.times[-1] - clock.times[0]
    assert waited > 0.2  # the copy of step 4 waits for step 3 to be written, that of 3 for 2, that of 2 for 1
    assert sorted(path.name for path in run.checkpoints.iterdir()) == [
        "last.pt",
        *(f"step-{step:08d}.pt" for step in (2, 3, 4)),
    ]
    final = checkpoint.load(run.checkpoints / "last.pt")
    for part in ("networks", "ema", "optimizers"):
        assert equal(final[part], run.state_dict()[part])


def full_from(step: int) -> Any:
    """A `torch.save` that finds the disk full from the checkpoint of `step` on."""
    save = torch.save

    def saving(state: Any, file: Any) -> None:
        if state["step"] >= step:
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(state, file)

    return saving


def test_a_checkpoint_that_fails_behind_the_round_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "save", full_from(3))
    run, callbacks = ready(tmp_path, "trainer.max_steps=1000", "trainer.checkpoint_every=1", "trainer.sample_every=0")
    with pytest.raises(GanLabError, match=r"step-00000003\.pt: no space left on device"):
        fit(run, callbacks)
    assert run.step < 10
    assert state_of(run)["state"] == "failed"
    assert "no space left" in state_of(run)["error"]
    assert sorted(path.name for path in run.checkpoints.iterdir()) == [
        "last.pt",
        "step-00000001.pt",
        "step-00000002.pt",
    ]
    assert checkpoint.load(run.checkpoints / "last.pt")["step"] == 2
    assert writers() == []


def test_a_last_checkpoint_that_fails_is_no_finished_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    write = summary.write_json
    monkeypatch.setattr(summary, "write_json", lambda path, value: (said.append(value["state"]), write(path, value)))
    monkeypatch.setattr(torch, "save", full_from(2))
    run, callbacks = ready(tmp_path, "trainer.checkpoint_every=0")
    with pytest.raises(GanLabError, match=r"step-00000002\.pt"):
        fit(run, callbacks)
    assert said == ["running", "failed"]


def diverge() -> None:
    raise NonFiniteError("loss is nan")


def test_a_failing_run_still_writes_what_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "save", slow(checkpoint.save, 0.2))
    run, callbacks = ready(tmp_path, "trainer.max_steps=4", "trainer.checkpoint_every=1", "trainer.sample_every=1")
    with pytest.raises(NonFiniteError, match="^loss is nan$"):
        fit(run, [*callbacks, Clock({2: diverge})])
    assert checkpoint.load(run.checkpoints / "last.pt")["step"] == 2
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "real.png",
        "step-00000001.png",
        "step-00000002.png",
    ]
    assert [record["step"] for record in read_lines(tmp_path / "metrics.jsonl")] == [1, 2]
    assert (state_of(run)["state"], state_of(run)["error"]) == ("failed", "NonFiniteError: loss is nan")


def test_of_two_failures_the_first_is_raised_and_the_other_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch, "save", slow(full_from(2), 0.1))
    run, callbacks = ready(tmp_path, "trainer.max_steps=4", "trainer.checkpoint_every=2", "trainer.sample_every=0")
    with caplog.at_level(logging.WARNING), pytest.raises(NonFiniteError):
        fit(run, [*callbacks, Clock({2: diverge})])
    (record,) = caplog.records
    assert "step-00000002.pt: no space left on device" in record.getMessage()
    assert state_of(run)["error"] == "NonFiniteError: loss is nan"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_loop_waits_saves_that_step(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "save", slow(checkpoint.save, 0.3))
    run, callbacks = ready(tmp_path, "trainer.max_steps=1000", "trainer.checkpoint_every=1", "trainer.sample_every=0")
    timer = threading.Timer(0.15, os.kill, (os.getpid(), number))
    interruption = fit(run, [*callbacks, Clock({1: timer.start})])
    assert (interruption.signal, run.outcome, run.step) == (number, "stopped", 2)
    assert checkpoint.load(run.checkpoints / "last.pt")["step"] == 2
    assert state_of(run)["state"] == "stopped"
    timer.join()


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = ("checkpoints", ".step-00000001.pt"), ("samples", ".real.png")
    left = [tmp_path / folder / f"{name}.{gone.pid}.tmp" for folder, name in names]
    for path in left:
        path.parent.mkdir()
        path.write_bytes(b"half")
    run, callbacks = ready(tmp_path)
    fit(run, callbacks)
    assert not any(path.exists() for path in left)
    assert (tmp_path / "checkpoints" / "last.pt").exists()


def test_a_run_that_is_over_has_given_up_threads_and_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in circles, and what it holds on a device would stay there until Python collects."""
    run, callbacks = ready(tmp_path, "trainer.max_steps=2")
    asked: list[str] = []
    monkeypatch.setattr(run.stream, "close", lambda: asked.append("close"))
    monkeypatch.setattr(run.rounds, "_drop", lambda: asked.append("drop"))
    fit(run, callbacks)
    assert asked[-2:] == ["close", "drop"]


def test_nothing_is_left_of_a_run_that_is_over(tmp_path: Path) -> None:
    alive: list[weakref.ref[Any]] = []
    for number in range(2):
        run, callbacks = ready(tmp_path / str(number), "trainer.checkpoint_every=1", "trainer.sample_every=1")
        fit(run, callbacks)
        alive += [weakref.ref(run), weakref.ref(run.writer), *(weakref.ref(callback) for callback in callbacks)]
        del run, callbacks
        gc.collect()
    assert not any(ref() for ref in alive)
    assert writers() == []
