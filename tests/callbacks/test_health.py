"""The monitor in a run: what it writes, what it does, and that the run does not notice it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_lab.callbacks.health import Health
from gan_lab.errors import ConfigError
from gan_lab.health.rules import RULES, Finding
from gan_lab.health.signals import Signals
from gan_lab.storage import checkpoint
from tests.conftest import equal, records, whole

LONGER = ("trainer.max_steps=8", "callbacks.health.every=2", "trainer.checkpoint_every=2")
Train = Callable[..., Path]


def summary(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text())
    return found


@pytest.fixture
def ill(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps at which a rule finds something; where it has looked is not asked."""
    steps = [4]

    def find(history: list[Signals]) -> Finding | None:
        return Finding(4, "made up") if history[-1].step in steps else None

    monkeypatch.setitem(RULES, "collapse", RULES["collapse"]._replace(find=find))
    return steps


# dropout, BatchNorm, spectral norm
@pytest.mark.parametrize("model", ["gan", "dcgan", *whole(["sngan_dcgan"])])
def test_a_watched_run_is_the_run(model: str, trained: Train) -> None:
    watched = trained("watched", f"model={model}", *LONGER, "trainer.log_every=1")
    alone = trained("alone", f"model={model}", *LONGER, "trainer.log_every=1", "callbacks.health=null")
    one, two = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (watched, alone))
    for part in ("networks", "ema", "optimizers", "stream", "augmentation"):
        assert equal(one[part], two[part]), part
    mine = [line for line in records(watched) if not any(key.startswith("health/") for key in line)]
    assert mine == records(alone)
    assert [line["step"] for line in records(watched) if "health/accuracy" in line] == [2, 4, 6, 8]


def test_a_short_run_is_silent(trained: Train) -> None:
    run = trained("run", "model=gan")
    assert summary(run)["alarms"] == []
    assert "health" not in (run / "metrics.jsonl").read_text()
    assert "health" not in (run / "train.log").read_text()


def test_an_alarm_is_told_once_everywhere(trained: Train, ill: list[int]) -> None:
    ill += [6, 8]
    run = trained("run", "model=gan", *LONGER)
    (alarm,) = summary(run)["alarms"]
    assert (alarm["name"], alarm["step"], alarm["since"], alarm["saw"]) == ("collapse", 4, 4, "made up")
    lines = [line for line in (run / "train.log").read_text().splitlines() if "health" in line]
    assert len(lines) == 1
    assert lines[0].endswith(f"health: collapse since step 4: made up; try {alarm['advice']}")
    assert any(b"made up" in path.read_bytes() for path in run.glob("events*"))
    assert summary(run)["state"] == "finished"


def test_looks_know_of_the_objective(trained: Train) -> None:
    """From the second measurement on, which comes after the look of its step."""
    measured = ("callbacks.metrics.every=2", "callbacks.metrics.n=40", "extractor=pixels", "objective=fid")
    run = trained("run", "model=gan_small", *LONGER, *measured)
    known = [line["step"] for line in records(run) if "health/setback" in line]
    assert known == [6, 8]


def test_stop(trained: Train, ill: list[int]) -> None:
    run = trained("run", "model=gan", *LONGER, "callbacks.health.on_alarm=stop")
    found = summary(run)
    assert found["step"] == 4
    assert found["ended"].startswith("health: collapse since step 4: made up")
    assert checkpoint.load(run / "checkpoints" / "last.pt")["step"] == 4


def test_rollback(trained: Train, ill: list[int]) -> None:
    """Twice to step 2; the second time it comes to nothing, because the rule looks away."""
    looked: list[int] = []
    find = RULES["collapse"].find
    RULES["collapse"] = RULES["collapse"]._replace(
        find=lambda history: looked.append(history[-1].step) or (find(history) if looked.count(4) < 3 else None)  # type: ignore[func-returns-value]
    )
    run = trained("run", "model=gan", *LONGER, "callbacks.health.on_alarm=rollback")
    assert looked == [2, 4, 4, 4, 6, 8]
    found = summary(run)
    assert found["state"] == "finished"
    assert [alarm["rolled_back_to"] for alarm in found["alarms"]] == [2, 2]
    told = "rolled back from step 4 to step 2; learning rates are now generator 5e-05"
    assert told in (run / "train.log").read_text()
    assert [line["step"] for line in records(run) if "health/accuracy" in line] == [2, 4, 6, 8]
    rates = [line["learning_rate/generator"] for line in records(run) if "learning_rate/generator" in line]
    assert rates == [2e-4] * 2 + [5e-5] * 6


def test_a_rollback_gives_up(trained: Train, ill: list[int]) -> None:
    run = trained("run", "model=gan", *LONGER, "callbacks.health.on_alarm=rollback", "callbacks.health.most=1")
    assert summary(run)["ended"].endswith("(rolled back 1 times already)")
    early = trained("early", "model=gan", *LONGER, "callbacks.health.on_alarm=rollback", "trainer.checkpoint_every=0")
    assert summary(early)["ended"].endswith("(no checkpoint from before it)")


def test_a_resumed_run_remembers(trained: Train, gan_lab: Callable[..., int], ill: list[int]) -> None:
    ill.append(10)
    run = trained("run", "model=gan", *LONGER)
    assert gan_lab("train", f"resume={run}", "trainer.max_steps=10") == 0
    assert [alarm["step"] for alarm in summary(run)["alarms"]] == [4]
    assert [line["step"] for line in records(run) if "health/accuracy" in line] == [2, 4, 6, 8, 10]


def test_what_is_no_number_is_an_alarm_too(gan_lab: Callable[..., int], here: Path) -> None:
    words = ("model=wgan", "trainer=debug", "optimizer.generator.lr=1e30", *LONGER, "trainer.log_every=2")
    assert gan_lab("train", *words, "loss/constraints=[]", "hydra.run.dir=run") == 1
    (alarm,) = summary(here / "run")["alarms"]
    assert alarm["name"] == "divergence"
    assert " is " in alarm["saw"]


@pytest.mark.parametrize(
    ("key", "value"), [("every", -1), ("every", True), ("on_alarm", "panic"), ("count", 1), ("most", -1)]
)
def test_settings_are_checked(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^callbacks.health.{key}: "):
        Health(**{key: value})
