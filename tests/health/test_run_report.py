"""What `gan-lab doctor` says of a run: what its monitor said, and what its files show where it had none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.errors import ConfigError
from gan_lab.health.run_report import report_run
from gan_lab.storage import checkpoint
from tests.health.test_rules import story

Train = Callable[..., Path]


@pytest.fixture
def run(trained: Train) -> Path:
    return trained("run", "model=gan_small", "trainer.batch_size=8")


def changed(run: Path, **parts: Any) -> None:
    path = run / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))


def write(run: Path, lines: list[dict[str, Any]]) -> None:
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_run_that_is_well(run: Path) -> None:
    write(run, [{"step": look.step, **look.scalars()} for look in story(3)])
    lines = report_run(run)
    assert lines[0] == "ok   run        finished at step 2 of 2"
    assert lines[1].startswith("ok   signals    step 300: diversity 0.9, accuracy 0.8, discriminator_pull 0.7")
    assert lines[2] == "ok   checkpoint run/checkpoints/step-00000002.pt: step 2, all weights are finite"
    assert lines[3].startswith("ok   samples    averaged generator: ")
    assert lines[4] == "nothing is wrong that this looks for"


def test_looks_are_judged_again(run: Path) -> None:
    write(run, [{"step": look.step, **look.scalars()} for look in story(3, dead=0.9)])
    lines = report_run(run)
    assert lines[1] == (
        "bad  dead_units since step 100: 90% of a network's units never fire; "
        "try optimizer.generator.lr=4e-05 optimizer.discriminator.lr=4e-05"
    )
    assert lines[-1] == "1 found"


def test_what_the_monitor_said_is_said_once(run: Path) -> None:
    write(run, [{"step": look.step, **look.scalars()} for look in story(3, dead=0.9)])
    changed(run, alarms=[{"name": "dead_units", "step": 300, "since": 100, "saw": "it", "advice": "that"}])
    lines = report_run(run)
    assert next(line for line in lines if "dead" in line) == "bad  dead_units since step 100: it; try that"
    assert lines[-1] == "1 found"


def test_a_run_without_a_monitor(run: Path) -> None:
    write(run, [{"step": 1, "loss/generator": 1.0}, {"step": 2, "loss/generator": float("nan")}])
    lines = report_run(run)
    assert lines[1].startswith("bad  divergence since step 2: loss/generator is nan; try optimizer.generator.lr=2e-05")
    assert lines[2].startswith("note signals    none in metrics.jsonl")


def test_how_it_ended(run: Path) -> None:
    changed(run, state="failed", error="ValueError: this")
    assert report_run(run)[0] == "bad  run        failed at step 2 of 2: ValueError: this"
    changed(run, state="running", error=None)
    assert report_run(run)[0].endswith("interrupted at step 2 of 2, without a word; gan-lab train resume=run")
    changed(run, state="finished", ended="fid has not fallen")
    assert report_run(run)[0] == "ok   run        finished at step 2 of 2: fid has not fallen"


def test_weights_that_are_no_numbers(run: Path) -> None:
    path = run / "checkpoints" / "step-00000002.pt"
    state = checkpoint.load(path)
    next(iter(state["ema"]["generator"].values())).fill_(float("inf"))
    torch.save(state, path)
    assert "ema.generator.layers.0.weight is not finite; go on from an earlier one" in "\n".join(report_run(run))


def test_samples_that_are_all_one(run: Path) -> None:
    path = run / "checkpoints" / "step-00000002.pt"
    state = checkpoint.load(path)
    state["ema"]["generator"]["layers.2.weight"].zero_()
    state["step"] = 300
    torch.save(state, path)
    lines = report_run(run)
    assert lines[-2].startswith("bad  samples    averaged generator: 0.00 of the data's variety; try loss=relativistic")
    assert lines[-2].endswith("optimizer.generator.lr=4e-05 optimizer.discriminator.lr=4e-05")


def test_data_that_is_elsewhere(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path / "nothing"))
    assert report_run(run)[-2] == "note samples    not compared: digits is not packed on this machine"


def test_no_checkpoint_yet(run: Path) -> None:
    for path in (run / "checkpoints").glob("*.pt"):
        path.unlink()
    assert "note checkpoint none was written yet" in report_run(run)


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^run=.*: not a run folder"):
        report_run(tmp_path)
    with pytest.raises(ConfigError, match=r"^run=.*nowhere: not a run folder"):
        report_run(tmp_path / "nowhere")
