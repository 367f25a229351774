"""Recorded rounds against eager ones, with a recorder for a device that has none: it plays the round again."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.engine import seeding
from gan_lab.training.device_metrics import DeviceMetrics, HostCopy
from gan_lab.training.rounds import FIRST_ROUNDS, MOST_GRAPHS, REMEMBERED, Rounds
from gan_lab.training.run import Run
from tests.compose import tiny_run
from tests.conftest import equal


class Tape:
    """A graph on the CPU. Recording does nothing to the run; a replay does what was recorded, into the same results."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.replays = 0

    def record(self, play: Callable[[], DeviceMetrics]) -> DeviceMetrics:
        state, random = copy.deepcopy(self.run.algorithm.state_dict()), torch.get_rng_state()
        self.play, self.readings = play, play()
        self.run.algorithm.load_state_dict(state)
        torch.set_rng_state(random)
        self.readings.vector.fill_(torch.nan)
        return self.readings

    def replay(self) -> None:
        self.replays += 1
        self.readings.vector.copy_(self.play().vector)


class Broken(Tape):
    def record(self, play: Callable[[], DeviceMetrics]) -> DeviceMetrics:
        torch.randn(1)  # whatever a recording that breaks off has drawn
        raise RuntimeError("operation not permitted\nwhen stream is capturing")


def recording(run: Run, kind: type[Tape] = Tape) -> list[Tape]:
    """Let the run record its rounds; the graphs as they come."""
    graphs: list[Tape] = []

    def make() -> Tape:
        graphs.append(kind(run))
        return graphs[-1]

    run.rounds = Rounds(run.algorithm, run.stream, make, run.config["seed"])
    return graphs


def play(run: Run, rounds: int) -> list[list[float]]:
    told = []
    for _ in range(rounds):
        run.play()
        told.append([float(value) for value in run.metrics.values()])
    return told


CASES = [
    ["model=dcgan", "optimizer/schedule=linear", "trainer.max_steps=12"],
    ["model=wgan_gp", "algorithm.critic_steps=2"],
    ["model=gan", "loss/regularizers=[r1,r2]", "loss.regularizers.r1.every=2", "loss.regularizers.r2.every=3"],
    ["model=gan", "dataset.flip=true"],
    ["model=acgan"],
    ["model=dcgan", "+technique=[lecam,instance_noise]"],
]


@pytest.mark.parametrize("overrides", CASES, ids=lambda overrides: "-".join(overrides[:2]))
def test_recorded_rounds_are_the_eager_ones(overrides: list[str], tmp_path: Path) -> None:
    eager, recorded = tiny_run(tmp_path, *overrides), tiny_run(tmp_path, *overrides)
    for optimizer in (o for run in (eager, recorded) for o in run.algorithm.optimizers.values()):
        for group in optimizer.param_groups:  # as on CUDA: a rate that a graph can read
            group["lr"] = torch.tensor(group["lr"])
    expected = play(eager, 12)
    state = copy.deepcopy(eager.state_dict())
    graphs = recording(recorded)
    assert play(recorded, 12) == expected
    assert graphs
    assert sum(graph.replays for graph in graphs) >= 2
    for part in ("networks", "ema", "optimizers", "algorithm", "augmentation", "stream"):
        assert equal(recorded.state_dict()[part], state[part]), part


def test_the_generator_is_set_before_a_round_is_recorded_and_before_it_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay draws from the generator as it stands then; while a graph is captured nobody may seed it."""
    order: list[str] = []
    run = tiny_run(tmp_path, "model=gan_small")
    real = seeding.seed_round

    class Told(Tape):
        def record(self, play: Callable[[], DeviceMetrics]) -> DeviceMetrics:
            order.append("record")
            readings = super().record(play)
            order.append("recorded")
            return readings

        def replay(self) -> None:
            order.append("replay")
            super().replay()

    def seed(seed: int, step: int, device: torch.device) -> None:
        order.append(f"seed {step}")
        real(seed, step, device)

    monkeypatch.setattr("gan_lab.training.rounds.seed_round", seed)
    recording(run, Told)
    play(run, 4)
    assert order == ["seed 0", "seed 1", "seed 2", "record", "recorded", "replay", "seed 3", "replay"]


def test_a_graph_for_each_kind_of_round(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan", "loss/regularizers=[r1]", "loss.regularizers.r1.every=4")
    graphs = recording(run)
    play(run, 16)
    with_r1, without = 4, 12
    assert sorted(graph.replays for graph in graphs) == [with_r1 - FIRST_ROUNDS, without - FIRST_ROUNDS]


def test_a_streamed_batch_comes_through_the_same_memory(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan")
    run.stream.resident = False  # as a store that does not fit
    recording(run)
    play(run, 3)
    place = run.rounds._buffers[0].images.data_ptr()
    before = run.rounds._buffers[0].images.clone()
    play(run, 1)
    assert run.rounds._buffers[0].images.data_ptr() == place
    assert not torch.equal(run.rounds._buffers[0].images, before)
    run.stream.close()


def test_readings_are_the_callers(tmp_path: Path) -> None:
    """A replay writes its results where the last one did; what was handed out stays."""
    run = tiny_run(tmp_path, "model=gan")
    recording(run)
    play(run, 4)
    before, value = run.metrics, float(run.metrics["loss/generator"])
    play(run, 1)
    assert float(before["loss/generator"]) == value != float(run.metrics["loss/generator"])


def test_what_cannot_be_recorded_is_said_once_and_played(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = play(tiny_run(tmp_path, "model=dcgan"), 6)
    run = tiny_run(tmp_path, "model=dcgan")
    recording(run, Broken)
    with caplog.at_level(logging.WARNING):
        assert play(run, 6) == expected
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "not permitted when stream is capturing" in said[0]


def ramp(key: str, steps: int) -> str:
    return f"+schedules.it={{_target_: gan_lab.algorithms.schedules.Ramp, settings: [{key}], end: 0.5, steps: {steps}}}"


def test_a_number_of_the_host_that_moves_is_never_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Adam's betas are arguments of its kernel. While one moves rounds are eager, and once it stands replayed."""
    long = tiny_run(tmp_path, "model=gan_small", ramp("optimizer.generator.betas.1", 10**6))
    graphs = recording(long)
    with caplog.at_level(logging.WARNING):
        play(long, REMEMBERED)
    assert not graphs
    assert len(long.rounds._played) <= REMEMBERED
    assert [record.getMessage() for record in caplog.records if "schedules" in record.getMessage()]
    short = tiny_run(tmp_path, "model=gan_small", ramp("optimizer.generator.betas.1", 3))
    graphs = recording(short)
    play(short, 3 + FIRST_ROUNDS + 2)
    assert [graph.replays for graph in graphs] == [2]


def test_there_are_not_more_graphs_than_memory_bears(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    graphs = recording(run)
    run.algorithm.round_key = lambda step: step // (FIRST_ROUNDS + 1)  # type: ignore[method-assign]
    play(run, (FIRST_ROUNDS + 1) * (MOST_GRAPHS + 2))
    assert len(graphs) == MOST_GRAPHS


def test_readings() -> None:
    readings = DeviceMetrics.of({"a": torch.tensor(1.0), "b": torch.tensor(2, dtype=torch.int64)})
    assert (list(readings), len(readings), float(readings["b"])) == (["a", "b"], 2, 2.0)
    assert readings.vector.dtype == torch.float32
    assert DeviceMetrics.of(readings) is readings
    with pytest.raises(KeyError):
        readings["c"]
    reading = HostCopy(readings.vector)
    assert reading.ready
    assert reading.wait().tolist() == [1.0, 2.0]


class Late:
    """A reading that arrives when it is told to."""

    arrived = False

    def __init__(self, numbers: torch.Tensor) -> None:
        self.numbers = numbers.clone()

    @property
    def ready(self) -> bool:
        return self.arrived

    def wait(self) -> torch.Tensor:
        return self.numbers


def test_figures_and_checks_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gan_lab.callbacks import figures, finite

    monkeypatch.setattr(figures, "HostCopy", Late)
    monkeypatch.setattr(finite, "HostCopy", Late)
    run = tiny_run(tmp_path, "model=gan_small", "trainer.max_steps=100", "trainer.checkpoint_every=0")
    told: list[tuple[int, dict[str, Any]]] = []
    monkeypatch.setattr(run.loggers, "scalars", lambda step, values: told.append((step, dict(values))))
    watching, judging = figures.Figures(), finite.StopOnNonFinite()
    for callback in (watching, judging):
        callback.on_fit_start(run)
    for _ in range(2):
        run.play()
        watching.on_step_end(run)
        judging.on_step_end(run)
    assert told == []  # nobody waited
    run.play()
    watching.on_step_end(run)
    assert [step for step, _ in told] == [1]  # no more than two are on their way
    monkeypatch.setattr(Late, "arrived", True)
    run.play()
    run.metrics = DeviceMetrics(tuple(run.metrics), torch.full((len(run.metrics),), torch.nan))
    watching.on_step_end(run)
    assert [step for step, _ in told] == [1, 2, 3, 4]
    assert all(values["images_seen"] == 4 * step for step, values in told)
    from gan_lab.errors import NonFiniteError

    with pytest.raises(NonFiniteError, match="is nan at step 4"):
        judging.on_step_end(run)
