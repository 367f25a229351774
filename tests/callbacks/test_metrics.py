"""Metrics in the loop: logged, remembered over a resumption, the best checkpoint kept, an early end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.callbacks.metrics import Metrics
from gan_lab.errors import ConfigError
from gan_lab.records.sweep import Job, read_json
from gan_lab.storage import checkpoint
from tests.conftest import equal

MEASURED = ("extractor=pixels", "callbacks.metrics.every=2", "callbacks.metrics.n=50", "objective=fid")
NAME = "fid/pixels-area8-50"


def lines(run: Path) -> list[tuple[int, float]]:
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line[NAME]) for line in found if NAME in line]


def test_logged_and_the_best_kept(trained: Callable[..., Path]) -> None:
    run = trained("run", *MEASURED, "trainer.max_steps=7")
    seen = lines(run)
    assert [step for step, _ in seen] == [2, 4, 6]
    value, step = min((value, step) for step, value in seen)
    summary = read_json(run / "summary.json")
    assert summary["best"] == {"name": NAME, "value": value, "step": step, "waited": (6 - step) // 2}
    assert checkpoint.load(run / "checkpoints" / "best.pt")["step"] == step
    card = summary["metrics"][NAME]["card"]
    assert card["step"] == 7  # the last step is measured, too, but no line of it stays in the log


@pytest.mark.whole
def test_a_run_goes_on_as_if_never_stopped(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """Weights, figures and the best so far: with metrics, resumed, equal to without_trace, and to a run without any."""
    straight = trained("straight", *MEASURED, "trainer.max_steps=6")
    resumed = trained("resumed", *MEASURED, "trainer.max_steps=3")
    assert gan_lab("train", f"resume={resumed}", "trainer.max_steps=6") == 0
    unmeasured = trained("unmeasured", "trainer.max_steps=6")
    assert lines(straight) == lines(resumed)
    states = [checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, resumed, unmeasured)]
    for key in ("networks", "ema", "optimizers", "stream"):
        assert equal(states[0][key], states[1][key])
        assert equal(states[0][key], states[2][key])
    assert states[0]["best"] == states[1]["best"]


def test_it_ends_early(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """A generator that does not move is never better than it was."""
    frozen = ("optimizer.generator.lr=0", "optimizer.discriminator.lr=1e-4", "algorithm.ema.decay=0")
    run = trained("run", *MEASURED, *frozen, "callbacks.metrics.patience=2", "trainer.max_steps=50", "model=gan_small")
    summary = read_json(run / "summary.json")
    assert summary["step"] == 6
    assert summary["state"] == "finished"
    assert "has not fallen below" in summary["ended"]
    assert Job(folder=run.name).read(run.parent, 50, "fid")  # a sweep does not run it again


def test_what_is_refused() -> None:
    for arguments, told in (({"every": -1}, "every"), ({"n": 1}, "metrics.n"), ({"patience": 0}, "patience")):
        with pytest.raises(ConfigError, match=told):
            Metrics(**arguments)
