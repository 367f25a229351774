"""`auto`: the fewest pieces that fit, as plain numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.memory import batch_size as fitting
from gan_lab.training.memory.dry_round import dry_round
from gan_lab.training.run import Run
from gan_lab.training.start import read_config
from tests.compose import composed, tiny_run
from tests.conftest import TINY, equal, records
from tests.training.memory.test_dry_round import NETS

AUTO = "trainer.batch_size=auto"


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`room(bytes)`: pretend that there are so many, all of which may be taken."""

    def pretend(count: float) -> None:
        monkeypatch.setattr(fitting, "available", lambda device: round(count))
        monkeypatch.setattr(fitting, "usable", lambda room, device: room)

    return pretend


def settled(folder: Path, *overrides: str) -> tuple[Run, dict[str, Any]]:
    config = composed(*TINY, *overrides)
    run, _ = assemble(config, folder)
    return run, config


def sizes(config: dict[str, Any]) -> tuple[int, int]:
    return config["trainer"]["batch_size"], config["trainer"]["accumulation"]


@pytest.mark.parametrize("pieces", [1, 2, 8])
def test_the_fewest_pieces_that_fit(
    pieces: int, room: Callable[[float], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gan_lab")
    taken = dry_round(tiny_run(tmp_path, *NETS), 16, pieces)
    room(1.02 * taken)
    run, config = settled(tmp_path, *NETS, AUTO, "trainer.total=16")
    assert sizes(config) == (16, pieces)
    assert (run.plan.batch_size, run.algorithm.accumulation, run.stream.batch_size) == (16, pieces, 16)
    (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("memory")]
    cut = "one piece" if pieces == 1 else f"{pieces} pieces of {16 // pieces}"
    assert line.startswith(f"memory   batches of 16 in {cut}: a round takes ")
    assert "sees" not in line


@pytest.mark.whole
def test_a_run_is_the_one_of_the_numbers_found(room: Callable[[float], None], tmp_path: Path) -> None:
    room(dry_round(tiny_run(tmp_path, "model=dcgan"), 12, 3))
    found, config = settled(tmp_path, "model=dcgan", "trainer.batch_size=12", "trainer.accumulation=auto")
    total, pieces = sizes(config)
    assert total == 12
    assert pieces in (2, 3)
    typed, _ = settled(tmp_path, "model=dcgan", "trainer.batch_size=12", f"trainer.accumulation={pieces}")
    found, _ = settled(tmp_path, "model=dcgan", "trainer.batch_size=12", "trainer.accumulation=auto")
    states = []
    for run in (typed, found):
        for _ in range(2):
            run.play()
        states.append({k: v for k, v in run.state_dict().items() if k != "config"})
    assert equal(*states)


@pytest.mark.whole
def test_whoever_refers_to_the_numbers_gets_them(room: Callable[[float], None], tmp_path: Path) -> None:
    common = ["model=rpgan", "+technique=[packing,minibatch_stddev]"]
    room(dry_round(tiny_run(tmp_path, *common), 48, 2))
    _, config = settled(tmp_path, *common, AUTO, "trainer.total=48", "trainer.accumulation=auto")
    packing = config["wrappers"]["discriminator"]["packing"]
    assert sizes(config) == (packing["batch_size"], packing["accumulation"]) == (48, 2)
    assert "auto" not in str(config["trainer"])


def test_pieces_are_whole_packs_and_groups(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=rpgan", "+technique=[packing,minibatch_stddev]", "trainer.batch_size=48")
    assert fitting.unit_of(run, 48) == 4
    run = tiny_run(
        tmp_path,
        "model=rpgan",
        "+technique=[packing,minibatch_stddev,several_discriminators]",
        "wrappers.discriminator.packing.size=3",
        "trainer.batch_size=48",
    )
    assert fitting.unit_of(run, 48) == 12
    assert fitting.unit_of(run, 18) == 3  # one group anyway
    assert fitting.coupled_layers(run) == ["BatchNorm", "MinibatchStandardDeviation"]  # the first in the generator
    assert fitting.least_piece(run) == 2
    assert fitting.coupled_layers(tiny_run(tmp_path, "model=dcgan")) == ["BatchNorm"]
    assert fitting.least_piece(tiny_run(tmp_path, *NETS)) == 1


@pytest.mark.whole
def test_layers_that_see_pieces_are_named(
    room: Callable[[float], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gan_lab")
    nets = ["model=wgan_gp_resnet", "width=4", "algorithm.critic_steps=1"]
    room(0.9 * dry_round(tiny_run(tmp_path, *nets), 16, 1))
    _, config = settled(tmp_path, *nets, AUTO, "trainer.total=16")
    total, pieces = sizes(config)
    assert pieces > 1
    assert f"; BatchNorm sees pieces of {total // pieces}" in caplog.text


@pytest.mark.whole
def test_at_least_as_many_pieces_as_were_asked(room: Callable[[float], None], tmp_path: Path) -> None:
    room(2**40)
    assert sizes(settled(tmp_path, *NETS, AUTO, "trainer.total=12", "trainer.accumulation=3")[1]) == (12, 3)
    assert sizes(settled(tmp_path, *NETS, AUTO, "trainer.total=12", "trainer.accumulation=auto")[1]) == (12, 1)


@pytest.mark.whole
def test_the_device_has_the_last_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On CUDA a whole round may fail where smaller ones promised that it fits."""
    played = []

    def whole(run: Run, total: int, pieces: int, limit: int | None = None, held: bool = False) -> int:
        assert held  # with what the allocator cannot use
        played.append((run.algorithm.accumulation, pieces))
        if pieces < 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
        return dry_round(run, total, pieces, limit)

    monkeypatch.setattr(fitting, "dry_round", whole)
    _, config = settled(tmp_path, *NETS, AUTO, "trainer.total=16")
    assert sizes(config) == (16, 4)
    assert played == [(1, 1), (2, 2), (4, 4)]  # each in a run built for so many


def test_what_libraries_keep_of_a_card_is_left_to_them() -> None:
    """32 MiB for each of the two threads that multiply."""
    assert fitting.kept_by_libraries(torch.device("cuda", 0)) == 64 * 2**20
    assert fitting.kept_by_libraries(torch.device("cpu")) == 0


def test_every_card_counts_anew_when_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    for name, answer in (("is_available", True), ("is_initialized", True), ("device_count", 2), ("empty_cache", None)):
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", counted.append)
    monkeypatch.setattr(fitting, "clear_workspaces", lambda: None)
    fitting.give_back(None)
    assert counted == [0, 1]


@pytest.mark.whole
def test_what_refuses_pieces_is_not_cut(room: Callable[[float], None], tmp_path: Path) -> None:
    overrides = ["model=rpgan", "+technique=[unrolled]", "algorithm.unroll_steps=1", AUTO, "trainer.total=16"]
    room(2**40)
    assert sizes(settled(tmp_path, *overrides)[1]) == (16, 1)
    room(0.9 * dry_round(tiny_run(tmp_path, *overrides[:-2]), 16, 1))
    with pytest.raises(
        GanLabError, match=r"in one piece, and cannot be cut .*: \d+ pieces cannot be unrolled"
    ) as refusal:
        settled(tmp_path, *overrides)
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 1


def test_nothing_fits(room: Callable[[float], None], tmp_path: Path) -> None:
    room(1000)
    with pytest.raises(
        GanLabError, match=r"batch_size=auto: no round of 64 images fits the .* MiB that are there; cho"
    ):
        settled(tmp_path, *NETS, AUTO)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["trainer.batch_size=many"], r"trainer\.batch_size: 'many' is not a whole number of at least 1, or auto"),
        (["trainer.accumulation=many"], r"trainer\.accumulation: 'many' is not a whole number of at least 1, or auto"),
        (["trainer.batch_size=true"], r"trainer\.batch_size: True is not a whole number"),
        (["trainer.accumulation=auto", "trainer.batch_size=0"], r"trainer\.batch_size: 0 is not a whole number"),
        ([AUTO, "trainer.total=0"], r"trainer\.total: 0 is not a whole number of at least 1"),
        ([AUTO, "trainer.total=auto"], r"trainer\.total: 'auto' is not a whole number of at least 1"),
        ([AUTO, "trainer.total=null"], r"trainer\.total: None is not a whole number"),
        ([AUTO, "trainer.accumulation=x"], r"trainer\.accumulation: 'x' is not a whole number"),
        ([AUTO, "trainer.total=16", "trainer.accumulation=3"], r"accumulation: 3 does not divide trainer\.total=16"),
        ([AUTO, "loss.regularizers={r1: {_target_: no.such}}"], "no.such"),
    ],
    ids=str,
)
def test_nonsense_is_refused_in_one_line(overrides: list[str], line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=line) as refusal:
        settled(tmp_path, *overrides)
    assert "\n" not in str(refusal.value)


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fitting, "available", lambda device: None)
    with pytest.raises(ConfigError, match=r"trainer\.batch_size=auto: this system does not tell .* give a number"):
        settled(tmp_path, AUTO)


@pytest.mark.whole
def test_a_resumed_run_goes_on_with_the_same(
    room: Callable[[float], None], trained: Callable[..., Path], gan_lab: Callable[..., int], tmp_path: Path
) -> None:
    auto = (*NETS, AUTO, "trainer.total=16")
    room(1.02 * dry_round(tiny_run(tmp_path, *NETS), 16, 2))
    half = trained("half", *auto)
    assert sizes(read_config(half / "config.yaml")) == (16, 2)
    room(2**40)  # there is more by now
    assert gan_lab("train", "resume=half", "trainer.max_steps=4") == 0
    assert sizes(read_config(half / "config.yaml")) == (16, 2)
    whole = trained("whole", *NETS, "trainer.batch_size=16", "trainer.accumulation=2", "trainer.max_steps=4")
    states = [checkpoint.load(run / "checkpoints" / "last.pt") for run in (half, whole)]
    assert equal(*({key: state[key] for key in ("networks", "ema", "optimizers", "stream")} for state in states))
    assert len(records(half)) == 4
