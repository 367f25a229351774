"""How often a step is written, and with what was measured of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gan_lab.callbacks.checkpoints import Checkpoints
from gan_lab.metrics.figure import Figure
from gan_lab.storage import checkpoint
from gan_lab.training.callback import Callback
from gan_lab.training.run import Best, Run
from gan_lab.training.trainer import fit
from tests.compose import tiny_run


class Measuring(Callback):
    """Measures every `every` steps; at the step `fatal` that ends the run."""

    def __init__(self, every: int, fatal: int = 0, best: int = 0) -> None:
        self.every, self.fatal, self.best = every, fatal, best

    def on_step_end(self, run: Run) -> None:
        if run.step == self.fatal:
            raise RuntimeError("too much for this machine")
        if run.due(self.every):
            run.measured = {"fid": Figure("fid", float(run.step), None, True, {})}
            if run.step == self.best:
                run.best, run.improved = Best("fid", float(run.step), run.step, 0), True


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
    """The steps that are written, in order, each with the figure that stands in the file."""
    found = []
    save = checkpoint.save

    def noted(folder: Path, state: dict[str, Any], keep: int) -> Path:
        found.append((state["step"], state["measured"].get("fid", {}).get("value")))
        return save(folder, state, keep)

    monkeypatch.setattr(checkpoint, "save", noted)
    return found


def play(folder: Path, *callbacks: Callback, steps: int = 6) -> None:
    run = tiny_run(folder, f"trainer.max_steps={steps}", "trainer.checkpoint_every=2", "logger.tensorboard=null")
    run.loggers.open(folder, 0)
    fit(run, [Checkpoints(), *callbacks])


def test_a_step_that_is_measured_is_written_once(tmp_path: Path, written: list[tuple[int, Any]]) -> None:
    """But for the first, which is on disk before anything has been measured."""
    play(tmp_path, Measuring(2))
    assert written == [(2, None), (2, 2.0), (4, 4.0), (6, 6.0)]


def test_without_measurements_every_step_is_written_once(tmp_path: Path, written: list[tuple[int, Any]]) -> None:
    play(tmp_path)
    assert written == [(2, None), (4, None), (6, None)]


def test_steps_between_and_the_best(tmp_path: Path, written: list[tuple[int, Any]]) -> None:
    """A measurement alone asks for no checkpoint, unless it is the best so far."""
    play(tmp_path, Measuring(3, best=3), steps=9)
    assert written == [(2, None), (3, 3.0), (4, 3.0), (6, 6.0), (8, 6.0), (9, 9.0)]
    assert checkpoint.load(tmp_path / "checkpoints" / "best.pt")["step"] == 3


@pytest.mark.parametrize(("fatal", "saved"), [(2, [(2, None)]), (4, [(2, None), (2, 2.0)])])
def test_the_first_measurement_takes_no_rounds_along(
    tmp_path: Path, written: list[tuple[int, Any]], fatal: int, saved: list[tuple[int, Any]]
) -> None:
    with pytest.raises(RuntimeError, match="too much"):
        play(tmp_path, Measuring(2, fatal))
    assert written == saved
