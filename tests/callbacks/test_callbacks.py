"""Callbacks watch, and complain in the user's words."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
import torch

from gan_lab.callbacks.finite import StopOnNonFinite, check_weights
from gan_lab.callbacks.progress import Progress, clock
from gan_lab.errors import NonFiniteError
from tests.compose import tiny_run


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_bad_term_is_named_with_its_step(value: float, tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "trainer.log_every=4", "trainer.max_steps=8", "trainer.checkpoint_every=8")
    watch = StopOnNonFinite()
    good, bad = torch.tensor(1.0), torch.tensor(value)
    for step, metrics in enumerate([{"a": good, "b": good}, {"a": good, "b": bad}, {"a": bad, "b": bad}], 1):
        run.step, run.metrics = step, metrics
        watch.on_step_end(run)
    run.step, run.metrics = 4, {"a": good, "b": good}
    with pytest.raises(NonFiniteError, match=f"^b is {value} at step 2; no checkpoint was written yet"):
        watch.on_step_end(run)


def test_terms_that_cancel_are_still_seen(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "trainer.log_every=1")
    run.step, run.metrics = 1, {"a": torch.tensor(float("inf")), "b": torch.tensor(float("-inf"))}
    with pytest.raises(NonFiniteError, match="^a is inf at step 1"):
        StopOnNonFinite().on_step_end(run)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_bad_weight_is_named(role: str, tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    check_weights(run)
    name, parameter = list(run.algorithm.networks[role].named_parameters())[-1]
    parameter.data.view(-1)[0] = float("nan")
    with pytest.raises(NonFiniteError, match=f"^{role}.{name} is not finite at step 0"):
        check_weights(run)


def test_lines_where_there_is_no_terminal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run = tiny_run(tmp_path, "trainer.max_steps=7")
    progress = Progress(line_every=3)
    progress.on_fit_start(run)
    for step in range(1, 8):
        run.step, run.images_seen, run.figures = step, 4 * step, {"loss/generator": 0.5}
        progress.on_step_end(run)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0] for line in lines] == ["step 3/7", "step 6/7", "step 7/7"]
    assert all("img/s" in line and "generator 0.500" in line and "ETA" in line for line in lines)


def test_a_bar_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tiny_run(tmp_path, "trainer.max_steps=4")
    run.interactive = True
    progress = Progress()
    progress.on_fit_start(run)
    run.step, run.images_seen = 4, 16
    progress.on_step_end(run)
    progress.on_fit_end(run)
    assert "#] step 4/4" in capsys.readouterr().err


def test_a_terminal_that_is_gone_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    run = tiny_run(tmp_path, "trainer.max_steps=4")
    run.interactive = True
    progress = Progress()
    monkeypatch.setattr("sys.stderr", Gone())
    progress.on_fit_start(run)
    run.step = 4
    progress.on_step_end(run)
    progress.on_fit_end(run)
    assert run.step == progress._marks[-1][1] == 4


def test_clock() -> None:
    assert [clock(s) for s in (5, 65, 3723)] == ["0:05", "1:05", "1:02:03"]
