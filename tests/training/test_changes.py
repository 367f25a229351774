"""What a changed configuration does to a run in progress: a jump is said, and what would do nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.errors import ConfigError
from gan_lab.storage import checkpoint
from gan_lab.training.changes import check_takes_effect, jumps
from tests.compose import composed
from tests.conftest import whole

Train = Callable[..., Path]
Cli = Callable[..., int]
RAMP = "schedule.weight={_target_: gan_lab.algorithms.schedules.Ramp, end: 0.0, steps: '${trainer.max_steps}'}"


def lines(*words: str, step: int = 8, images: int = 80) -> list[str]:
    before, after = (composed(*words, f"trainer.max_steps={steps}") for steps in (10, 20))
    return list(jumps(before, after, step, images))


def test_the_learning_rates_of_a_schedule_that_spans_the_run() -> None:
    """A line from 1 to 0: at 8 of 10 rounds 0.2 of the rate is left, at 8 of 20 0.6."""
    said = lines("optimizer/schedule=linear", "optimizer.generator.lr=1e-4", "optimizer.discriminator.lr=2e-4")
    assert said == [
        "optimizer.generator.lr jumps from 2e-05 to 6e-05 at step 8: its schedule spans 10 -> 20 rounds",
        "optimizer.discriminator.lr jumps from 4e-05 to 0.00012 at step 8: its schedule spans 10 -> 20 rounds",
    ]


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        (["loss/regularizers=[r1]", f"+loss.regularizers.r1.{RAMP}", "loss.regularizers.r1.weight=1"],
         "loss.regularizers.r1.weight", "0.2 to 0.6"),
        (["+schedules.b={_target_: gan_lab.algorithms.schedules.Ramp, settings: [optimizer.generator.betas.0], "
          "end: 0.0, start: 1.0, steps: '${trainer.max_steps}'}"], "optimizer.generator.betas.0", "0.2 to 0.6"),
        (["+technique=[instance_noise]"], "augmentation.instance_noise.std", "0.02 to 0.06"),
        (["+algorithm.ema.schedule.decay={_target_: gan_lab.algorithms.schedules.Ramp, start: 0.0, end: 1.0, "
          "steps: '${trainer.max_steps}'}"], "algorithm.ema.decay", "0.8 to 0.4"),
        (["+optimizer.generator.schedule.lr={_target_: gan_lab.algorithms.schedules.Ramp, end: 0.0, "
          "steps: '${trainer.max_steps}', unit: images}", "optimizer.generator.lr=1"], "optimizer.generator.lr", None),
    ],
)  # fmt: skip
def test_every_ramp(words: list[str], key: str, values: str | None) -> None:
    said = [line for line in lines(*words) if line.startswith(key)]
    if values is None:  # 80 images are past both ends
        assert said == []
    else:
        assert said == [f"{key} jumps from {values} at step 8: its schedule spans 10 -> 20 rounds"]


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["optimizer/schedule=linear"], 0),  # the beginning is the same
        (["optimizer/schedule=linear", "optimizer.schedule.steps=10"], 8),  # it does not span the run
        (["optimizer/schedule=linear", "optimizer.schedule.start=0.9"], 8),  # both are on their first part
        ([], 8),
    ],
)
def test_no_jump_no_line(words: list[str], step: int) -> None:
    assert lines(*words, step=step) == []


def test_a_jump_is_said_on_resume(trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    trained("run", "optimizer/schedule=linear", "optimizer.generator.lr=1e-3")
    capsys.readouterr()
    assert gan_lab("train", "resume=run", "trainer.max_steps=4") == 0
    assert "optimizer.generator.lr jumps from 0 to 0.0005 at step 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.generator.weights", ["model=biggan"]),
        ("model.discriminator.frequency", ["model=points", "dataset=grid"]),
        ("augmentation.adaptive.p", ["+technique=[adaptive_augmentation]"]),
        ("trainer.total", []),
    ],
)
def test_what_only_the_beginning_reads_is_refused(key: str, words: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: is read when a run begins"):
        check_takes_effect(composed(*words), ["seed", key])


def test_a_probability_that_is_held_may_change() -> None:
    config = composed("+technique=[adaptive_augmentation]", "augmentation.adaptive.target=null")
    check_takes_effect(config, ["augmentation.adaptive.p"])


FORCED = {
    "seed=7": lambda state: state["stream"]["seed"] == 7,
    "optimizer.generator.lr=0.5": lambda state: group(state)["lr"] == 0.5,
    "optimizer.generator.betas=[0.1,0.2]": lambda state: group(state)["betas"] == (0.1, 0.2),
    "optimizer.generator.eps=0.25": lambda state: group(state)["eps"] == 0.25,
    "+optimizer.generator.weight_decay=0.5": lambda state: group(state)["weight_decay"] == 0.5,
    "trainer.batch_size=8": lambda state: state["images_seen"] == 2 * 4 + 8,
    "algorithm.ema={_target_: gan_lab.algorithms.averaging.ExponentialMovingAverage, _partial_: true, decay: 0.0}": (
        lambda state: all(
            value.equal(state["ema"]["generator"][name]) for name, value in state["networks"]["generator"].items()
        )
    ),
}


def group(state: dict) -> dict:  # type: ignore[type-arg]
    return state["optimizers"]["generator"]["param_groups"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("word", [*list(FORCED)[:2], *whole(list(FORCED)[2:])])
def test_a_forced_change_is_played(trained: Train, gan_lab: Cli, word: str) -> None:
    run = trained("run", "model=gan_small")
    assert gan_lab("train", "resume=run", "trainer.max_steps=3", word, "resume_force=true") == 0
    assert FORCED[word](checkpoint.load(run / "checkpoints" / "last.pt"))


def test_another_optimizer_begins_anew(trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("run", "model=gan_small", "optimizer=rmsprop")
    words = ("optimizer=adam", "trainer.max_steps=3", "resume_force=true")
    assert gan_lab("train", "resume=run", *words) == 0, capsys.readouterr().err
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    assert {"exp_avg", "exp_avg_sq"} <= set(state["optimizers"]["generator"]["state"][0])
    assert "optimizer.generator: is of another class" in capsys.readouterr().out


def test_a_change_that_would_do_nothing_is_refused(
    trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run", "model=gan_small")
    before = (run / "config.yaml").read_text()
    assert gan_lab("train", "resume=run", "trainer.total=8", "trainer.max_steps=3", "resume_force=true") == 2
    assert "give trainer.batch_size=" in capsys.readouterr().err
    assert (run / "config.yaml").read_text() == before
