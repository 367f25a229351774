"""A round that is only tried: what it takes, and that it leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from gan_lab.data.batch import Batch
from gan_lab.training.memory.available import Exceeded
from gan_lab.training.memory.dry_round import Line, dry_round, fit_line, round_bytes
from gan_lab.training.run import Run
from tests.compose import tiny_run
from tests.conftest import equal, whole


def whole_state(run: Run) -> dict[str, object]:
    groups = [
        {key: value for key, value in group.items() if key != "params"}
        for optimizer in run.algorithm.optimizers.values()
        for group in optimizer.param_groups
    ]
    counts = (run.step, run.images_seen, run.fresh, run.figures)
    return {**run.state_dict(), "groups": groups, "counts": counts}


NETS = (  # no BatchNorm, and what a round takes is nearly a multiple of the batch
    "model=r3gan",
    "augmentation=none",
    "width=4",
    "loss/regularizers=[]",
    "model.generator.blocks=1",
    "model.discriminator.blocks=1",
)
MEMORIES = [
    [
        "model=dcgan",
        "+technique=[lecam,adaptive_augmentation,historical_averaging]",
        "augmentation.adaptive.interval=1",
    ],
    ["model=rpgan", "loss/regularizers=[r1,path_length]", "loss.regularizers.r1.every=4", "optimizer=rmsprop"],
    ["model=biggan_cifar", "algorithm.critic_steps=2"],
    ["model=dcgan", "dataset.flip=true", "optimizer/schedule=cosine", "optimizer=sgd"],
    ["model=wgan", "+technique=[unrolled]", "algorithm.unroll_steps=1", "loss.constraints={}"],
]


@pytest.mark.parametrize("overrides", MEMORIES, ids=lambda overrides: overrides[0])
@pytest.mark.parametrize("before", [*whole([0]), 1])
def test_training_goes_on_as_if_nothing_had_been_tried(before: int, overrides: list[str], tmp_path: Path) -> None:
    states = []
    for trying in (False, True):
        run = tiny_run(tmp_path, *overrides)
        for _ in range(before):
            run.play()
        if trying:
            then = whole_state(run)
            then = torch.load(_saved(tmp_path / "then.pt", then), weights_only=False)
            assert dry_round(run, 8, 1) > 0
            assert dry_round(run, 8, 2) > 0
            with pytest.raises(Exceeded):
                dry_round(run, 8, 1, limit=1000)
            assert equal(whole_state(run), then)
            assert all(p.grad is None for n in run.algorithm.networks.values() for p in n.parameters())
        for _ in range(2):
            run.play()
        states.append({**whole_state(run), "metrics": dict(run.metrics)})
    assert equal(*states)


def _saved(path: Path, state: dict[str, object]) -> Path:
    torch.save(state, path)
    return path


def test_it_is_played_on_the_stream_of_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries keep memory for every stream, and autograd remembers on which one a parameter was used first."""
    run, order = tiny_run(tmp_path, "model=gan_small"), list[str]()
    real = run.algorithm.train_step

    @contextmanager
    def own_stream() -> Iterator[None]:
        order.append("enter")
        yield
        order.append("leave")

    monkeypatch.setattr(run.engine, "own_stream", own_stream)
    monkeypatch.setattr(run.algorithm, "train_step", lambda *about: order.append("round") or real(*about))
    dry_round(run, 4, 1)
    assert order == ["enter", "round", "leave"]


def test_a_line_goes_on_from_the_two_largest_sizes() -> None:
    tried = Line(((2, 10), (4, 90), (8, 130)), ready=3)
    assert [tried.of(images) for images in (4, 8, 16, 20)] == [90, 130, 210, 250]
    assert tried.of(16, pieces=2) == 210
    assert tried.of(16, pieces=5) == 210 + 3 * 16 * 3
    assert Line(((2, 90), (4, 80)), ready=0).of(100) == 80


@pytest.mark.parametrize("pieces", [1, 4])
def test_few_images_tell_of_many(pieces: int, tmp_path: Path) -> None:
    """Where the batch decides what a round takes, it takes a multiple of it."""
    run = tiny_run(tmp_path, *NETS, "algorithm.critic_steps=2")
    told, taken = round_bytes(run, 32, pieces), dry_round(run, 32, pieces)
    assert abs(told - taken) < 0.03 * taken


def test_the_lazy_are_due(tmp_path: Path) -> None:
    """They count in full, as those of every round do, and a round takes more with them than without."""
    lazy, always, never = (
        tiny_run(tmp_path, "model=rpgan", *penalties)
        for penalties in (
            ("loss/regularizers=[r1]", "loss.regularizers.r1.every=16"),
            ("loss/regularizers=[r1]", "loss.regularizers.r1.every=1"),
            ("loss/regularizers=[]",),
        )
    )
    for run in (lazy, always, never):
        run.play()
    assert "r1" not in lazy.algorithm.due(lazy.step)
    taken = [dry_round(run, 8, 1) for run in (lazy, always, never)]
    assert taken[0] == taken[1] > taken[2], taken


@pytest.mark.parametrize("pieces", [1, 2])
def test_what_a_dry_round_plays(pieces: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole round: all its batches in so many pieces, the game and every penalty, begun or not."""
    run = tiny_run(tmp_path, "model=rpgan", "algorithm.critic_steps=2", "loss/regularizers=[r1,r2]")
    for regularizer in run.algorithm.regularizers.values():
        regularizer.every, regularizer.begin = 5, 100
    run.play()
    seen, play = [], run.algorithm.train_step

    def train_step(batches: list[Batch], due: tuple[str, ...]) -> object:
        seen.append(([len(batch.image) for batch in batches], run.algorithm.accumulation, due))
        return play(batches, due)

    monkeypatch.setattr(run.algorithm, "train_step", train_step)
    before = run.algorithm.accumulation
    dry_round(run, 8, pieces)
    assert seen == [([8, 8], pieces, ("adversarial", "r1", "r2"))]
    assert run.algorithm.accumulation == before


@pytest.mark.parametrize(
    ("bytes_of", "sizes"),
    [
        (lambda n: 1000 + 500 * n, [0, 2, 4, 8]),  # straight, and the batch decides
        (lambda n: 100_000 + 500 * n, [0, 2, 4, 8, 16, 32, 64]),  # straight so far
        (lambda n: max(100_000 + 10 * n, 5000 * n), [0, 2, 4, 8, 16, 32, 64]),
        (lambda n: 100 * n * n, [0, 2, 4, 8, 16, 32, 64]),  # layers that compare each with each
    ],
)
def test_sizes_grow_until_the_line_is_straight(
    bytes_of: Callable[[int], int], sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    monkeypatch.setattr(
        "gan_lab.training.memory.dry_round.dry_round", lambda run, images, pieces, room: bytes_of(images)
    )
    assert fit_line(run, 1, 128).points == tuple((n, bytes_of(n) if n else 0) for n in sizes)


def test_no_more_is_tried_than_is_sure_to_fit(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, *NETS)
    ample, scarce = fit_line(run, 1, 16), fit_line(run, 1, 16, room=round(1.5 * dry_round(run, 8, 1)))
    assert [images for images, _ in ample.points] == [0, 2, 4, 8]
    assert [images for images, _ in scarce.points] == [0, 2, 4]
    assert [images for images, _ in fit_line(run, 2, 4, unit=6).points] == [0, 6, 12]
    assert [images for images, _ in fit_line(run, 1, 16, room=round(1.1 * dry_round(run, 2, 1))).points] == [0, 2]
    with pytest.raises(Exceeded):
        fit_line(run, 1, 16, room=1000)
