"""A run that the clock ends: in good order, and goes on as if it had not been ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gan_lab.callbacks.progress import Progress
from gan_lab.errors import ConfigError
from gan_lab.records.sweep import Job
from gan_lab.storage import checkpoint
from gan_lab.training import time_limit
from gan_lab.training.assemble import assemble
from gan_lab.training.plan import Plan
from gan_lab.training.run import Run
from gan_lab.training.time_limit import TimeLimit
from gan_lab.training.trainer import fit
from tests.compose import composed
from tests.conftest import TINY, equal, records

SMALL = (*TINY, "model=gan_small", "trainer.max_steps=6", "logger.tensorboard=null", "optimizer/schedule=linear")


def clock(minutes: Sequence[float]) -> Callable[[], float]:
    """Tells the minutes one after the other, in seconds."""
    told = iter(minutes)
    return lambda: 60 * next(told)


def play(folder: Path, *overrides: str, minutes: Sequence[float] = (), state: Path | None = None) -> Run:
    """A session of a run, whose clock says `minutes` at its start and after each round."""
    config = composed(*SMALL, *overrides)
    run, callbacks = assemble(config, folder, None if state is None else checkpoint.load(state))
    for callback in callbacks:
        if isinstance(callback, TimeLimit):
            callback._clock = clock(minutes)
    folder.mkdir(exist_ok=True)
    run.loggers.open(folder, run.step)
    fit(run, callbacks)
    return run


def test_it_ends_in_good_order_and_goes_on_exactly(tmp_path: Path) -> None:
    """Ten minutes are over after the third round of six: what a last step leaves is there, and three rounds later it is
    the run that nobody ended, schedules and all."""
    metrics = ("callbacks.metrics.every=4", "callbacks.metrics.n=16", "extractor=pixels")
    files = ("trainer.sample_every=0", "trainer.checkpoint_every=0")
    limit = "trainer.max_minutes=10"
    run = play(tmp_path / "a", *metrics, *files, limit, minutes=[100, 103, 109.9, 110])
    summary = json.loads((tmp_path / "a/summary.json").read_text())
    assert (run.outcome, summary["state"], run.step) == ("finished", "finished", 3)
    assert summary["ended"].startswith("10 minutes are over (trainer.max_minutes), at 50% of trainer.max_steps")
    assert any(name.startswith("fid") for name in summary["metrics"])
    assert "loss/generator" in summary["figures"]
    assert [path.name for path in (tmp_path / "a/samples").glob("step-*")] == ["step-00000003.png"]
    assert checkpoint.load(tmp_path / "a/checkpoints/last.pt")["step"] == 3
    assert Job(folder="a").read(tmp_path, 6, "fid")  # a sweep takes it for done

    last = tmp_path / "a/checkpoints/last.pt"
    play(tmp_path / "a", *metrics, *files, limit, minutes=[7, 8, 9, 9.5], state=last)  # ten minutes anew
    play(tmp_path / "b", *metrics, *files)
    there, here = (checkpoint.load(tmp_path / name / "checkpoints/last.pt") for name in "ab")
    assert there["step"] == 6
    differing = ("config", "metrics", "measured", "best")
    assert equal(*({k: v for k, v in state.items() if k not in differing} for state in (there, here)))
    assert records(tmp_path / "a") == records(tmp_path / "b")


def test_the_last_step_is_not_called_the_clocks(tmp_path: Path) -> None:
    run = play(tmp_path, "trainer.max_minutes=1", minutes=[0, 0, 0, 0, 0, 0, 2])
    assert (run.step, run.outcome, run.stop_reason) == (6, "finished", "")


def test_no_limit_reads_no_clock() -> None:
    assert not any(isinstance(callback, TimeLimit) for callback in assemble(composed(*SMALL), Path())[1])


@pytest.mark.whole
def test_the_command_says_so_and_exits_with_0(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit.TimeLimit, "on_fit_start", lambda self, run: setattr(self, "_began", -600.0))
    monkeypatch.setattr(time_limit.TimeLimit.__init__, "__defaults__", (lambda: 0.0,))
    assert gan_lab("train", *SMALL, "trainer.max_minutes=10", "hydra.run.dir=run") == 0
    said = capsys.readouterr().out
    assert "finished at step 1 of 6: 10 minutes are over" in said
    assert "gan-lab train resume=run\n" in said
    assert gan_lab("train", "resume=run", "trainer.max_minutes=null") == 0  # of a run in progress it may change
    assert "finished at step 6 of 6\n" in capsys.readouterr().out


@pytest.mark.parametrize("minutes", [0, -1, "ten", True, float("nan"), float("inf")])
def test_what_is_no_time(minutes: object) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.max_minutes: .* is not a number of minutes above 0, or null"):
        Plan(max_steps=1, batch_size=1, max_minutes=minutes)  # type: ignore[arg-type]


def test_the_time_left_is_the_clocks_where_that_is_less(tmp_path: Path) -> None:
    """Two steps in ten seconds leave 4,988 for 998 of them, but half a minute less ten seconds for the clock."""
    run, _ = assemble(composed(*SMALL, "trainer.max_steps=1000", "trainer.max_minutes=0.5"), tmp_path)
    progress = Progress()
    progress.on_fit_start(run)
    at, step, images = progress._marks[0]
    progress._marks[0] = (at - 10, step, images)
    progress._began = at - 10
    run.step = 2
    assert progress._words(run).endswith("ETA 0:20")
