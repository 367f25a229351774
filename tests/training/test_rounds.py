"""Recorded rounds against eager ones, with a recorder for a device that has none: `tests/tape.py`."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.engine import seeding
from gan_lab.engine.engine import Engine
from gan_lab.training import device_metrics
from gan_lab.training.device_metrics import DeviceMetrics, HostCopy
from gan_lab.training.rounds import FIRST_ROUNDS, MOST_GRAPHS, REMEMBERED, Rounds
from gan_lab.training.run import Run
from tests.compose import choices, tiny_run, unpaired_regularizers
from tests.conftest import equal, whole
from tests.tape import T, Tape, Tapes


class Broken(Tape):
    reason = "operation not permitted when stream is capturing\nSearch for it in the manual"

    def record(self, play: Callable[[], T]) -> T:
        torch.randn(1)  # whatever a recording that breaks off has drawn
        raise RuntimeError(self.reason)


class BrokenOff(Broken):
    reason = "CUDA error: operation failed due to a previous error during capture"


def recording(run: Run, kind: type[Tape] = Tape, check: bool = False) -> Tapes:
    """Let the run record its rounds; the graphs as they come."""
    graphs = Tapes(kind)
    run.rounds = Rounds(run.algorithm, run.stream, graphs, run.config["seed"], check)
    return graphs


def play(run: Run, rounds: int) -> list[list[float]]:
    told = []
    for _ in range(rounds):
        run.play()
        told.append([float(value) for value in run.metrics.values()])
    return told


SHRUNK = "width=4 model.generator.blocks=1 model.discriminator.blocks=1"
CASES = [
    "model=dcgan optimizer/schedule=linear trainer.max_steps=8",
    "model=wgan_gp algorithm.critic_steps=2",
    "model=gan loss/regularizers=[r1,r2] loss.regularizers.r1.every=2 loss.regularizers.r2.every=3",
    "model=gan dataset.flip=true optimizer=sgd optimizer/schedule=cosine trainer.max_steps=8",
    "model=acgan",
    "model=dcgan +technique=[lecam,instance_noise]",
    f"model=r3gan {SHRUNK} loss.regularizers.r1.schedule.weight.steps=8",
    "model=gan +technique=[top_k] wrappers.adversarial.top_k.schedule.fraction.steps=56",
]
WITH = {
    "auxiliary_classifier": "model=acgan",
    "non_saturating_auxiliary": "model=acgan",
    "regression": "model=pix2pix",  # a pair
    "unscored": "model=ganomaly",
    "activation_checkpointing": "model=wgan_gp_resnet width=8",
    "path_length_style": "model=stylegan2",
    "autoencoding": "model=fastgan",
    "matching_aware": "model=gan_cls",
    "conditioning_augmentation": "model=gan_cls",
}
TOYS = Path(__file__).parent.parent / "toys" / "configs"
ALL = [
    *(f"model={name}" for name in choices("model")),
    *(f"{WITH.get(name, 'model=dcgan')} +technique=[{name}]" for name in choices("technique")),
    *(f"{WITH.get(name, 'model=gan')} loss/regularizers=[{name}]" for name in unpaired_regularizers()),
    *(f"model=dcgan augmentation={name}" for name in choices("augmentation")),
    *(f"model=gan optimizer={name}" for name in choices("optimizer")),
    *(f"{WITH.get(name, 'model=gan')} loss={name}" for name in choices("loss")),
    *(f"model=gan degradation={name}" for name in choices("degradation")),
    *(f"model=toy_{name}" for name in ("translation", "cycle", "pyramid", "growing")),  # pairs, pools, stages
]


def pair(folder: Path, overrides: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Run]:
    """Two runs alike, whose numbers lie as on CUDA: where a recorded round can read them. Who is due in every 16th
    round is so in every fourth: each kind of round comes often enough to be recorded."""
    monkeypatch.setattr(Engine, "reads_numbers", True)
    words = [f"hydra.searchpath=[file://{TOYS}]", *overrides.split()]
    runs = tiny_run(folder, *words), tiny_run(folder, *words)
    for average in (average for run in runs for average in run.algorithm.averages.values()):
        average._on_host = False
    for regularizer in (regularizer for run in runs for regularizer in run.algorithm.regularizers.values()):
        regularizer.every = min(regularizer.every, 4)
    return runs


@pytest.mark.parametrize("overrides", [*CASES, *whole(ALL)])
def test_recorded_rounds_are_the_eager_ones(overrides: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, though a replay knows nothing of Python and all other memory of recordings is spoiled."""
    eager, recorded = pair(tmp_path, overrides, monkeypatch)
    lazy = any(regularizer.every > 1 for regularizer in eager.algorithm.regularizers.values())
    rounds = 14 if lazy or "top_k" in overrides else 8 if overrides in CASES else 5
    expected = play(eager, rounds)
    state = copy.deepcopy(eager.state_dict())
    graphs = recording(recorded)
    assert play(recorded, rounds) == expected
    assert sum(graph.replays for graph in graphs) >= 2
    for part in ("networks", "ema", "optimizers", "algorithm", "augmentation", "stream"):
        assert equal(recorded.state_dict()[part], state[part]), part


def host_number(generator: nn.Module) -> Callable[[Tensor], Tensor]:
    count = iter(range(100))
    return lambda made: made * 0.9 ** next(count)


def host_chance(generator: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda made: made * random.random()


def stale_memory(generator: nn.Module) -> Callable[[Tensor], Tensor]:
    factor = [torch.ones(())]

    def change(made: Tensor) -> Tensor:
        factor[0] = factor[0] * 0.9  # a new tensor in every round, where the last one is read
        return made * factor[0]

    return change


def old_gradient(generator: nn.Module) -> Callable[[Tensor], Tensor]:
    """Read what a round before has left: the graph of another kind may have used that memory."""
    parameter = next(generator.parameters())
    return lambda made: made if parameter.grad is None else made + parameter.grad.sum()


Wrong = Callable[[nn.Module], Callable[[Tensor], Tensor]]
WRONG: list[Wrong] = [host_number, host_chance, stale_memory, old_gradient]


def spoil(run: Run, wrong: Wrong) -> None:
    """Let the images that the generator makes be changed in a way that no graph knows of."""
    generator = run.algorithm.networks["generator"]
    change = wrong(generator)
    generator.register_forward_hook(lambda module, given, made: change(made))


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_replay_cannot_do_shows(wrong: Wrong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for run in pair(tmp_path, "model=gan_small", monkeypatch):
        random.seed(0)
        spoil(run, wrong)
        if told:
            recording(run)
        told.append(play(run, 6))
    assert told[0][:FIRST_ROUNDS] == told[1][:FIRST_ROUNDS]
    assert told[0] != told[1]


def test_the_generator_is_set_before_a_round_is_recorded_and_before_it_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay draws from the generator as it stands then; while a graph is captured nobody may seed it."""
    order: list[str] = []
    run = tiny_run(tmp_path, "model=gan_small")
    real = seeding.seed_round

    class Told(Tape):
        def record(self, play: Callable[[], T]) -> T:
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
    """None is recorded before the kinds that come soon were played, so that no eager round meets a graph's memory."""
    run = tiny_run(tmp_path, "model=gan", "loss/regularizers=[r1]", "loss.regularizers.r1.every=4")
    graphs = recording(run)
    play(run, 5)
    assert not graphs
    play(run, 11)
    with_r1, without = 4, 12
    assert [graph.replays for graph in graphs] == [without - 3, with_r1 - FIRST_ROUNDS]
    assert graphs.cleared == 0


def test_a_kind_that_comes_late_finds_the_memory_of_graphs_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_lab.training.rounds.AHEAD", 1)
    run = tiny_run(tmp_path, "model=gan", "loss/regularizers=[r1]", "+loss.regularizers.r1.begin=6")
    graphs, held = recording(run), []
    real = run.rounds._eager

    def eager(*about: Any) -> DeviceMetrics:
        metrics = real(*about)
        held.append((len(run.rounds._recorded), graphs.cleared))
        return metrics

    monkeypatch.setattr(run.rounds, "_eager", eager)
    play(run, 10)
    assert held == [(0, 0), (0, 0), (0, 1), (0, 1)]
    assert [graph.replays for graph in graphs] == [4, 2]


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


@pytest.mark.parametrize(("kind", "words"), [(Broken, "some rounds are not"), (BrokenOff, "rounds are not captured")])
def test_what_cannot_be_recorded_is_said_once_and_played(
    kind: type[Broken], words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = play(tiny_run(tmp_path, "model=dcgan"), 6)
    run = tiny_run(tmp_path, "model=dcgan")
    graphs = recording(run, kind)
    with caplog.at_level(logging.WARNING):
        assert play(run, 6) == expected
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(graphs) == graphs.cleared == 1
    assert said[0].startswith(words)
    assert f": {kind.reason.splitlines()[0]} (at" in said[0]
    assert f"(at {__file__}:" in said[0]
    assert "Search" not in said[0]
    assert "in record)" in said[0]
    assert not run.rounds._buffers


class Sometimes(Tape):
    """Cannot record the second graph."""

    def record(self, play: Callable[[], T]) -> T:
        if self.tapes[1:2] == [self]:
            raise ValueError("no")
        return super().record(play)


def test_a_kind_that_cannot_be_recorded_does_not_keep_others_from_it(tmp_path: Path) -> None:
    """What was recorded before is dropped, since the generator was renewed, and recorded again."""
    overrides = "model=gan", "loss/regularizers=[r1]", "loss.regularizers.r1.every=4"
    expected = play(tiny_run(tmp_path, *overrides), 14)
    run = tiny_run(tmp_path, *overrides)
    graphs = recording(run, Sometimes)
    assert play(run, 14) == expected
    assert [graph.replays for graph in graphs] == [3, 0, 4]  # rounds 5 to 7; round 8 has r1; 9 to 13 without 12
    assert graphs.cleared == 1


def short(play: Callable[..., DeviceMetrics], when: Callable[[], bool]) -> Callable[..., DeviceMetrics]:
    def playing(*about: Any) -> DeviceMetrics:
        if when():
            torch.rand(3)  # it draws until it runs short
            raise torch.OutOfMemoryError("CUDA out of memory")
        return play(*about)

    return playing


def test_graphs_make_room_for_a_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An eager round beside graphs is one of a kind that could not be recorded: without them it fits."""
    overrides = "model=gan", "loss/regularizers=[r1]", "loss.regularizers.r1.every=4"
    expected = play(tiny_run(tmp_path, *overrides), 15)
    run = tiny_run(tmp_path, *overrides)
    graphs = recording(run, Sometimes)
    told = play(run, 12)
    assert run.rounds._recorded
    monkeypatch.setattr(run.rounds, "_round", short(run.rounds._round, lambda: bool(run.rounds._recorded)))
    run.rounds._warned = False
    with caplog.at_level(logging.WARNING):
        told += play(run, 3)
    assert told == expected  # what it drew before it ran short counts for nothing
    assert "not enough memory for graphs" in caplog.text
    assert (len(graphs), run.rounds._recorded, run.rounds._buffers) == (3, {}, [])


def test_a_round_is_not_begun_again_where_others_play_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, "model=gan", "loss/regularizers=[r1]", "loss.regularizers.r1.every=4")
    recording(run, Sometimes)
    play(run, 12)
    monkeypatch.setattr(run.rounds, "_round", short(run.rounds._round, lambda: bool(run.rounds._recorded)))
    monkeypatch.setattr(run.engine.world, "size", 2)
    with pytest.raises(torch.OutOfMemoryError):
        run.play()


def test_there_may_be_no_memory_to_check_a_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The round is then the replay."""
    expected = play(tiny_run(tmp_path, "model=gan"), 4)
    run = tiny_run(tmp_path, "model=gan")
    graphs = recording(run, check=True)
    monkeypatch.setattr(
        run.rounds, "_round", short(run.rounds._round, lambda: bool(graphs and graphs[0].recording.done))
    )
    with caplog.at_level(logging.WARNING):
        told = play(run, 3)
    assert "not enough memory to check" in caplog.text
    assert graphs[0].replays == 1
    assert told[:2] == expected[:2]


def test_memory_that_is_short_without_graphs_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, "model=gan")
    recording(run)
    monkeypatch.setattr(run.rounds, "_round", short(run.rounds._round, lambda: True))
    with pytest.raises(torch.OutOfMemoryError):
        run.play()


def test_a_state_that_is_loaded_lies_elsewhere(tmp_path: Path) -> None:
    """`load_state_dict` moves the optimizers' memory, whoever calls it: what was recorded is forgotten."""
    runs = [tiny_run(tmp_path, "model=gan") for _ in range(2)]
    graphs = recording(runs[1])
    for run in runs:
        play(run, 4)
        run.algorithm.load_state_dict(copy.deepcopy(run.algorithm.state_dict()))
    assert play(runs[1], 4) == play(runs[0], 4)
    assert [graph.replays for graph in graphs] == [2, 2]


def test_rounds_can_be_played_eagerly_for_a_while(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan")
    graphs = recording(run)
    play(run, 3)
    with run.rounds.eagerly():
        play(run, 2)
    assert graphs[0].replays == 1
    play(run, 2)
    assert [graph.replays for graph in graphs] == [3]


def test_what_changes_with_the_images_is_written_before_every_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded rounds and replays, too: how many images were shown before, and only then the round."""
    told: list[Any] = []
    run = tiny_run(tmp_path, "model=gan")
    recording(run)
    step = run.algorithm.train_step
    monkeypatch.setattr(run.algorithm, "advance", told.append)
    monkeypatch.setattr(run.algorithm, "train_step", lambda *given: told.append("round") or step(*given))
    play(run, FIRST_ROUNDS)
    assert told == [each for round in range(FIRST_ROUNDS) for each in (4 * round, "round")]
    play(run, 3)
    assert [each for each in told if each != "round"] == [4 * round for round in range(FIRST_ROUNDS + 3)]


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


def test_there_are_not_more_graphs_than_memory_bears(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    graphs = recording(run)
    kinds = MOST_GRAPHS + 2
    run.algorithm.round_key = lambda step: step % kinds  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        play(run, kinds * (FIRST_ROUNDS + 1))
    assert len(graphs) == MOST_GRAPHS
    assert f"more than {MOST_GRAPHS} kinds" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (host_number, "is another after the recorded round"),
        (host_chance, "Python's random generator moves on the host"),
        (stale_memory, "is another after the recorded round"),
        (lambda generator: lambda made: made, None),
    ],
)
def test_the_first_replay_is_checked(
    wrong: Wrong, said: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a graph does not know of ends capturing; the round counts as it was played eagerly."""
    run = tiny_run(tmp_path, "model=gan_small")
    for average in run.algorithm.averages.values():
        average._on_host = False
    spoil(run, wrong)
    graphs = recording(run, check=True)
    with caplog.at_level(logging.WARNING):
        play(run, 5)
    assert (said in caplog.text) if said is not None else not caplog.text
    assert ("not captured" in caplog.text) == (said is not None)
    assert [graph.replays for graph in graphs] == [1 if said is not None else 3]


@pytest.mark.parametrize("overrides", ["model=dcgan +technique=[lecam,adaptive_augmentation]", "model=toy_cycle"])
def test_what_remembers_passes_the_check(overrides: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a round changes is put back before the replay, and the run goes on as it would have."""
    eager, recorded = pair(tmp_path, overrides, monkeypatch)
    graphs = recording(recorded, check=True)
    assert play(recorded, 6) == play(eager, 6)
    assert [graph.replays for graph in graphs] == [4]


def test_readings() -> None:
    leaf = torch.tensor(1.0, requires_grad=True)
    readings = DeviceMetrics.of({"a": leaf, "b": torch.tensor(2, dtype=torch.int64)})
    assert not readings.vector.requires_grad  # nobody holds a round's graph
    assert (list(readings), len(readings), float(readings["b"])) == (["a", "b"], 2, 2.0)
    assert readings.vector.dtype == torch.float32
    assert DeviceMetrics.of(readings) is readings
    with pytest.raises(KeyError):
        readings["c"]
    reading = HostCopy(readings.vector)
    assert reading.ready
    assert reading.wait().tolist() == [1.0, 2.0]


def test_figures_are_copied_behind_the_work_of_their_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    device, recorded = torch.device("cuda", 1), []
    event = SimpleNamespace(record=recorded.append, query=lambda: False)
    cuda = SimpleNamespace(Event=lambda: event, current_stream=lambda device: f"stream of {device}")
    pinned = SimpleNamespace(copy_=lambda numbers, non_blocking: None)
    stand_in = SimpleNamespace(cuda=cuda, empty=lambda shape, dtype, pin_memory: pinned)
    monkeypatch.setattr(device_metrics, "torch", stand_in)
    copied = HostCopy(SimpleNamespace(device=device, shape=(2,), dtype=torch.float32))  # type: ignore[arg-type]
    assert recorded == ["stream of cuda:1"]
    assert not copied.ready


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
