"""Going back within a run: what comes back, what does not, and what is gone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from gan_lab.config import build, to_yaml
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.callback import Callback
from gan_lab.training.rollback import target
from gan_lab.training.run import Rollback, Run
from gan_lab.training.trainer import fit
from tests.compose import composed, tiny_run
from tests.conftest import TINY, equal

BACK = ("model=gan_small", "trainer.max_steps=6", "trainer.checkpoint_every=2", "trainer.log_every=1")


class Asks(Callback):
    """Asks once, after step 5, to go back to step 2."""

    def __init__(self) -> None:
        self.then: dict[str, Any] = {}

    def on_step_end(self, run: Run) -> None:
        if run.step == 5 and not self.then:
            run.rollback = Rollback(checkpoint.step_path(run.checkpoints, 2), 2, 0.5)

    def on_rollback(self, run: Run) -> None:
        self.then = copy.deepcopy(run.state_dict())


def play(folder: Path, *overrides: str) -> tuple[Run, Asks]:
    run, _ = assemble(composed(*TINY, *BACK, *overrides), folder)
    nodes = {**run.config["callbacks"], "health": None}
    asks = Asks()
    (folder / "config.yaml").write_text(to_yaml(run.config))
    run.loggers.open(folder, 0)
    callbacks = [build(node, name) for name, node in nodes.items() if node is not None]
    fit(run, [*callbacks, asks])
    return run, asks


def test_back_and_on(tmp_path: Path) -> None:
    run, asks = play(tmp_path)
    saved = checkpoint.load(checkpoint.step_path(tmp_path / "checkpoints", 2))
    for part in ("step", "images_seen", "networks", "ema", "optimizers", "stream", "metrics", "algorithm"):
        if part == "optimizers":  # their settings are the configuration's; moments come back
            states = [{role: o["state"] for role, o in each[part].items()} for each in (saved, asks.then)]
            assert equal(*states)
        else:
            assert equal(saved[part], asks.then[part]), part
    assert (run.step, run.outcome) == (6, "finished")
    assert run.algorithm.learning_rates() == {"generator": 1e-4, "discriminator": 1e-4}


def test_undone_steps_leave_nothing_behind(tmp_path: Path) -> None:
    play(tmp_path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert sorted(set(steps)) == [1, 2, 3, 4, 5, 6]
    assert steps == sorted(steps)
    assert len(steps) == len(set(steps))
    names = sorted(path.name for path in (tmp_path / "checkpoints").glob("*.pt"))
    assert names == ["last.pt", "step-00000002.pt", "step-00000004.pt", "step-00000006.pt"]
    assert checkpoint.load(tmp_path / "checkpoints" / "last.pt")["step"] == 6


def test_lower_rates_stay_with_the_run(tmp_path: Path) -> None:
    run, _ = play(tmp_path)
    stored = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert stored["optimizer"]["generator"]["lr"] == 1e-4
    assert run.config["optimizer"]["discriminator"]["lr"] == 1e-4


RAMP = "{_target_: gan_lab.algorithms.schedules.Ramp, end: 1e-5, steps: 10%s}"
KEYS = "[optimizer.generator.lr, loss.regularizers.r1.weight, optimizer.discriminator.lr]"
RAMPS = {
    "of a rate": f"+optimizer.generator.schedule={{lr: {RAMP % ''}}}",
    "that starts elsewhere": f"+optimizer.generator.schedule={{lr: {RAMP % ', start: 4e-4, shape: exponential'}}}",
    "of several numbers": f"+schedules.it={RAMP % f', shape: cosine, settings: {KEYS}'}",
}


@pytest.mark.parametrize("case", RAMPS)
def test_a_scheduled_rate_goes_on_lower(case: str, tmp_path: Path) -> None:
    """Half of what the ramp says from the next step on, in this process and in one that goes on with its files."""
    words = ("loss=relativistic_r1_r2", RAMPS[case])
    run, _ = play(tmp_path, *words)
    plain = tiny_run(tmp_path / "plain", *words)
    again, _ = assemble(yaml.safe_load((tmp_path / "config.yaml").read_text()), tmp_path / "again")
    for step in (5, 8, 40):
        for game in (run.algorithm, plain.algorithm, again.algorithm):
            game.schedule_step(step)
        wanted = {role: rate / 2 for role, rate in plain.algorithm.learning_rates().items()}
        assert run.algorithm.learning_rates() == pytest.approx(wanted)
        assert again.algorithm.learning_rates() == pytest.approx(wanted)
        weights = [game.regularizers["r1"].weight for game in (run.algorithm, plain.algorithm, again.algorithm)]  # type: ignore[attr-defined]
        assert weights[0] == weights[1] == weights[2]


def test_the_newest_checkpoint_from_before(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    assert target(run, 100) is None
    run.checkpoints.mkdir()
    for step in (200, 300, 400):
        checkpoint.step_path(run.checkpoints, step).touch()
    assert target(run, 399) == (300, checkpoint.step_path(run.checkpoints, 300))
    assert target(run, 400) == (400, checkpoint.step_path(run.checkpoints, 400))
    assert target(run, 199) is None
