"""A schedule reaches any number of a run by its key, and a resumed run goes on with it exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gan_lab.config import schedules, without_schedules
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.storage import checkpoint
from tests.compose import tiny_run
from tests.conftest import equal, records


def ramp(*settings: str, start: float | None = None, end: float = 0.5, steps: int = 4, shape: str = "linear") -> str:
    """The override that schedules `settings`."""
    begin = "" if start is None else f"start: {start}, "
    keys = ", ".join(settings)
    return (
        f"+schedules.it={{_target_: gan_lab.algorithms.schedules.Ramp, settings: [{keys}], "
        f"{begin}end: {end}, steps: {steps}, shape: {shape}}}"
    )


def test_every_kind_of_part(tmp_path: Path) -> None:
    keys = (
        "loss.regularizers.r1.weight optimizer.generator.lr optimizer.discriminator.lr optimizer.discriminator.betas.1 "
        "optimizer.generator.weight_decay algorithm.ema.decay loss.constraints.weight_clipping.bound "
        "model.discriminator.layers.2.p"
    ).split()
    run = tiny_run(
        tmp_path,
        "model=gan",
        "loss=wasserstein_clipped",
        "loss/regularizers=[r1]",
        "optimizer=adamw",
        ramp(*keys, start=0.25, end=0.75, steps=2),
    )
    game = run.algorithm
    for step, value in enumerate((0.25, 0.5, 0.75, 0.75)):
        game.schedule_step(step)
        assert game.regularizers["r1"].weight == value  # type: ignore[attr-defined]
        assert game.learning_rates() == {"generator": value, "discriminator": value}
        assert game.optimizers["discriminator"].param_groups[0]["lr"] == value
        assert game.optimizers["discriminator"].param_groups[0]["betas"] == (0.5, value)
        assert game.optimizers["generator"].param_groups[0]["weight_decay"] == value
        assert game.averages["generator"].decay == value
        assert game.game.constraints["weight_clipping"].bound == value  # type: ignore[attr-defined]
        assert game.networks["discriminator"].layers[2].p == value  # type: ignore[union-attr, index]


def test_a_scheduled_rate_and_the_schedule_of_all_rates_multiply(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path, "optimizer/schedule=linear", "trainer.max_steps=4", ramp("optimizer.generator.lr", start=1, end=3)
    )
    run.algorithm.schedule_step(2)
    assert run.algorithm.learning_rates() == pytest.approx({"generator": 2 * 0.5, "discriminator": 1e-4})


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("loss.regularizers.r3.weight", "leads nowhere; numbers can be scheduled in .*loss.regularizers.r1"),
        ("loss.regularizers.r1.wait", "loss.regularizers.r1.wait is no number of R1"),
        ("loss.regularizers.r1.player", "is no number of R1"),
        ("optimizer.generator.betas.2", "is no number of Adam"),
        ("optimizer.generator.amsgrad", "is no number of Adam"),
        ("algorithm.ema.half_life", "is no number of the average; where it is null, leave its schedule out"),
        ("seed", "seed leads nowhere"),
    ],
)
def test_keys_that_are_no_numbers(key: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^schedules.it: .*{message}"):
        tiny_run(tmp_path, ramp(key))


def test_a_schedule_is_a_field_of_what_it_moves(tmp_path: Path) -> None:
    moves = "{_target_: gan_lab.algorithms.schedules.Ramp, start: 1.0, end: 3.0, steps: 2}"
    fields = [
        f"+loss.regularizers.r1.schedule.weight={moves}",
        f"+optimizer.generator.schedule.lr={moves}",
        f"+optimizer.generator.schedule.betas.1={moves.replace('3.0', '0.5')}",
        f"+algorithm.ema.schedule.decay={moves.replace('1.0', '0.5').replace('3.0', '0.75')}",
    ]
    run = tiny_run(tmp_path, "loss/regularizers=[r1]", *fields)
    assert run.config["loss"]["regularizers"]["r1"]["schedule"]["weight"]["end"] == 3.0  # as it was typed
    game = run.algorithm
    game.schedule_step(1)
    assert game.regularizers["r1"].weight == 2.0
    assert game.learning_rates()["generator"] == 2.0
    assert game.learning_rates()["discriminator"] < 1.0
    assert game.optimizers["generator"].param_groups[0]["betas"][1] == 0.75
    assert game.averages["generator"].decay == 0.625


def test_a_field_that_is_no_number_names_its_place(tmp_path: Path) -> None:
    moves = "{_target_: gan_lab.algorithms.schedules.Ramp, end: 3.0, steps: 2}"
    with pytest.raises(ConfigError, match=r"^loss.regularizers.r1.schedule.player: .* is no number of R1"):
        tiny_run(tmp_path, "loss/regularizers=[r1]", f"+loss.regularizers.r1.schedule.player={moves}")


def test_a_component_may_be_built_with_a_schedule_of_its_own() -> None:
    inner = {"_target_": "x.W", "schedule": {"a": {"_target_": "r"}}}
    own = {"_target_": "x.Y", "schedule": {"_target_": "x.Z"}, "inner": [inner]}
    assert without_schedules(own) == {**own, "inner": [{"_target_": "x.W"}]}
    assert list(schedules(own, "k")) == []
    assert list(schedules(inner, "k")) == [("k", "a", {"_target_": "r"})]


def test_without_settings_it_moves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^schedules.it.settings: name the keys"):
        tiny_run(tmp_path, ramp())


def test_an_exponential_needs_positive_ends(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exponential needs positive ends"):
        tiny_run(tmp_path, ramp("loss.regularizers.r1.weight", end=0.0, shape="exponential"))


@pytest.mark.whole
def test_a_resumed_run_goes_on_with_it_exactly(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    keys = "optimizer.generator.lr", "loss.regularizers.r1.weight", "algorithm.ema.decay"
    game = ("trainer.log_every=1", "trainer.checkpoint_every=3", ramp(*keys, end=0.01, steps=5, shape="cosine"))
    straight = trained("straight", "trainer.max_steps=6", *game)
    halves = trained("halves", "trainer.max_steps=3", *game)
    assert gan_lab("train", f"resume={halves}", "trainer.max_steps=6") == 0
    one, two = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, halves))
    assert equal(one["networks"], two["networks"])
    assert equal(one["ema"], two["ema"])
    assert records(straight) == records(halves)
    rates = [record["learning_rate/generator"] for record in records(straight) if "learning_rate/generator" in record]
    assert len(set(rates)) == 6
    assert torch.tensor(rates).diff().gt(0).all()


def test_where_rounds_are_recorded_numbers_lie_on_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates, betas and the weights of regularizers: while they move, all rounds are of one kind."""
    monkeypatch.setattr(Engine, "reads_numbers", True)
    keys = "optimizer.generator.lr optimizer.generator.betas.1 loss.regularizers.r1.weight".split()
    run = tiny_run(tmp_path, "loss/regularizers=[r1]", ramp(*keys, start=0.25, end=0.75, steps=2))
    game, adam = run.algorithm, run.algorithm.optimizers["generator"]
    group = adam.param_groups[0]
    beta, rate, weight = group["betas"][1], group["lr"], game.regularizers["r1"].weight  # type: ignore[attr-defined]
    kinds = set()
    for step, value in enumerate((0.25, 0.5, 0.75)):
        game.schedule_step(step)
        kinds.add(game.round_key(step))
        assert float(beta) == float(rate) == float(weight) == value
    assert len(kinds) == 1
    assert (group["betas"][1] is beta, group["lr"] is rate) == (True, True)


def test_numbers_of_the_host_that_come_to_the_same_are_one_kind(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "+technique=[top_k]", "wrappers.adversarial.top_k.schedule.fraction.steps=120")
    run.play()
    kinds = []
    for step in range(31):
        run.algorithm.schedule_step(step, 4 * step)
        kinds.append(run.algorithm.round_key(step))
    assert len(set(kinds)) == 3  # 4, 3 or 2 of 4 images
    assert kinds == sorted(kinds, reverse=True)
