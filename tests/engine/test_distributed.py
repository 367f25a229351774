"""One process and two play the same game: gradients in float64, weights in float32, and what they tell one another.

Two processes are started once and do everything that is asked about here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.functional import dropout
from torch.utils.checkpoint import checkpoint as checkpoint_of_torch

from gan_lab.distributed.world import World, world
from gan_lab.engine import precision as precision_module
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage import checkpoint
from gan_lab.training.agreement import agree, compare_weights
from gan_lab.training.assemble import assemble
from gan_lab.training.device_metrics import DeviceMetrics
from gan_lab.training.interruption import Interruption
from gan_lab.training.rounds import FIRST_ROUNDS, Rounds
from gan_lab.training.run import Run
from tests.engine.processes import Played, apart, config_of, play, several

pytestmark = pytest.mark.whole  # two processes that play every game take a minute

SIZE = 2
BATCH = "trainer.batch_size=16"
GAMES = {  # each couples images, remembers means or draws in a way of its own
    "batch norm, groups, remembered means, signs": (
        "model=dcgan",
        "+technique=[minibatch_stddev,lecam,adaptive_augmentation]",
        "loss.regularizers.lecam.begin=0",
        "augmentation.adaptive.interval=1",
        "augmentation.adaptive.speed=100",
    ),
    "double backward through batch norm, several discriminators": (
        "model=dcgan",
        "+technique=[several_discriminators]",
        "wrappers.adversarial.several_discriminators.aggregate=softmax",
        "loss/regularizers=[r1,dragan,path_length,feature_matching]",
        "loss.regularizers.path_length.every=1",
    ),
    "packs, dropout, one pass, pieces": ("model=gan", "+technique=[packing]", "trainer.accumulation=2"),
    "labels, critic steps, pieces, more fakes than images": (
        "model=sngan",
        "algorithm.critic_steps=2",
        "algorithm.generator_batch=3",
        "trainer.accumulation=2",
    ),
    "the same fakes again": ("model=gan_small", "algorithm.reuse_fake=true", "trainer.accumulation=2"),
    "dropout of channels, the best images": (
        "model=conv_gan",
        "+technique=[top_k]",
        "wrappers.adversarial.top_k.fraction=0.5",
    ),
    "unrolled, each with each": (
        "model=gan",
        "+technique=[minibatch_discrimination,unrolled]",
        "algorithm.unroll_steps=1",
    ),
    "images beside their inputs, dropout in use": ("model=pix2pix", "degradation=noise"),
    "one pool of images, inputs that are drawn": ("model=toy_cycle", "algorithm.pool=16", "degradation=noise"),
    "places of patches are for all images, mirrors for each": (
        *("model=cut", "algorithm.mirrored=0.5", "algorithm.patches=16"),
        *("degradation=noise", "trainer.accumulation=2"),
    ),
    "quadrants, margins and noise are drawn": (  # of weak reconstructions, whose rounding grows less
        *("model=fastgan", "loss.regularizers.autoencoding.weight=0.1"),
    ),
    "levels, each with noise, dropout and a share of its own": (
        *("model=lapgan_conditional", "algorithm.shares=[1.0,0.5,1.0]", "trainer.accumulation=2"),
    ),
    "images beside their latents": ("model=egbad", "trainer.accumulation=2"),
    "images again, and their codes": ("model=ganomaly", "trainer.accumulation=2"),
    "a game and an encoder": ("model=fanogan", "algorithm.encoder_from=1", "algorithm.critic_steps=2"),
    "captions of others, and between two": (
        *("model=gan_cls", "loss/regularizers=[matching_aware]", "+technique=[conditioning_augmentation]"),
    ),
    "captions at every convolution": ("model=dfgan", "trainer.accumulation=2"),
    "computed again": (  # on the same fakes: rounding grows less
        *("model=biggan_cifar", "+technique=[activation_checkpointing]"),
        *("algorithm.critic_steps=1", "algorithm.reuse_fake=true"),
    ),
}
OTHERS = {
    "long": ("model=dcgan", "+technique=[lecam]", "dataset.flip=true", "trainer.accumulation=2"),
    "points": ("model=points", "dataset=ring", "loss/regularizers=[r1]"),
    "small": ("model=gan_small",),
}
Configs = dict[str, dict[str, Any]]


def games(folder: Path, configs: Configs) -> dict[str, tuple[Played, Played]]:
    """Every game, in float64 and in float32."""
    return {name: (play(folder, configs[name], 1, True), play(folder, configs[name], 2, False)) for name in GAMES}


def work(folder: Path, configs: Configs) -> dict[str, Any]:
    """What each of the two processes does."""
    together = Engine(device="cpu", precision="fp32").world
    found: dict[str, Any] = {"games": games(folder, configs)}
    half = play(folder, configs["long"], 2, False)
    if together.is_main:
        checkpoint.save(folder / "half", half.state, 1)
    state = together.agree(checkpoint.load(folder / "half" / "last.pt") if together.is_main else None)
    found["continued"] = play(folder, configs["long"], 2, False, state)
    found["derivatives"] = list(derivatives(together, numbers()[together.rank]))
    found["gradients"] = reduced(together)
    found["recomputed"] = [recomputed(again) for again in (False, True)]
    found["said"] = said(together)
    found["sums"] = sums_of_a_round(assemble(configs["points"], folder)[0])
    found["given"] = given(assemble({**configs["small"], "seed": together.rank}, folder)[0])
    found["unrecorded"] = unrecorded(assemble(configs["small"], folder)[0], together)
    found["agreed"] = agreed(assemble(configs["small"], folder)[0], together.is_main)
    found["compared"] = compared(assemble(configs["small"], folder)[0], together.rank)
    found["refused"] = list(refused(folder, configs["small"]))
    return found


@pytest.fixture(scope="module")
def configs(own_data_root: Path) -> Configs:
    return {name: config_of(BATCH, *game) for name, game in {**GAMES, **OTHERS}.items()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, configs: Configs) -> dict[str, tuple[Played, Played]]:
    return games(tmp_path_factory.mktemp("alone"), configs)


@pytest.fixture(scope="module")
def together(
    tmp_path_factory: pytest.TempPathFactory, configs: Configs, alone: object
) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("together")  # `alone` has packed the data
    return folder, several(SIZE, folder, partial(work, configs=configs))


@pytest.fixture(scope="module")
def ranks(together: tuple[Path, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return together[1]


@pytest.mark.parametrize("game", GAMES)
def test_the_same_game(game: str, alone: dict[str, tuple[Played, Played]], ranks: list[dict[str, Any]]) -> None:
    one, other = (rank["games"][game] for rank in ranks)
    double, single = alone[game]
    assert len(double.gradients) == len(one[0].gradients) >= 2
    for move, by_two in zip(double.gradients, one[0].gradients, strict=True):
        assert apart(move, by_two) < 1e-12
    assert apart(single.weights, one[1].weights) < 1e-6
    for before, by_two in zip(double.figures, one[0].figures, strict=True):
        assert by_two == pytest.approx(before, rel=1e-6, abs=1e-7)  # they are kept in float32
    for mine, its in zip(one, other, strict=True):
        assert apart(mine.weights, its.weights) == 0.0
        assert mine.figures == its.figures
        assert torch.equal(mine.random, its.random)
    for mine, by_one in zip(one, alone[game], strict=True):
        assert torch.equal(mine.random, by_one.random)


def test_a_run_goes_on_with_any_number_of_processes(
    together: tuple[Path, list[dict[str, Any]]], configs: Configs, tmp_path: Path
) -> None:
    folder, ranks = together
    straight = play(tmp_path, configs["long"], 4, False)
    state = checkpoint.load(folder / "half" / "last.pt")
    by_one = play(tmp_path, configs["long"], 2, False, state)
    by_two = ranks[0]["continued"]
    for continued in (by_one, by_two):
        assert apart(straight.weights, continued.weights) < 1e-6
        assert straight.state["stream"] == continued.state["stream"]
        assert straight.state["images_seen"] == continued.state["images_seen"] == 64
    assert apart(by_two.weights, ranks[1]["continued"].weights) == 0.0


def numbers() -> Tensor:
    """Of 2 ranks 3 rows of 2 each."""
    return torch.linspace(-1, 2, 12, dtype=torch.float64).view(SIZE, 3, 2)


def figure(together: World, rows: Tensor) -> Tensor:
    """A figure of the whole batch in which every row meets every other, (3, 2) to 0-d: this rank's part of the mean."""
    mean, variance = together.moments(rows, [0])
    each = together.gather(rows).exp().sum(0) * together.total(rows.square().sum(0)) * together.mean(rows.mean(0))
    return ((rows - mean) / (variance + 0.1).sqrt() * each).pow(3).mean()


def derivatives(together: World, rows: Tensor) -> Iterator[Tensor]:
    """Of the sum over ranks of the figure, and of the sum of squares of its gradients, and of theirs."""
    rows = rows.clone().requires_grad_()
    with together.playing(3):
        value = figure(together, rows)
        for _ in range(3):
            (gradient,) = torch.autograd.grad(value, rows, create_graph=True)
            yield gradient.detach()
            value = gradient.square().sum()


def test_sums_over_ranks_are_differentiated_any_number_of_times(ranks: list[dict[str, Any]]) -> None:
    rows = numbers().flatten(0, 1).requires_grad_()
    value = SIZE * figure(World(), rows)  # a mean over all, where each rank has one over its own
    for parts in zip(*(rank["derivatives"] for rank in ranks), strict=True):
        (gradient,) = torch.autograd.grad(value, rows, create_graph=True)
        torch.testing.assert_close(torch.cat(parts), gradient.detach(), rtol=1e-12, atol=1e-12)
        value = gradient.square().sum()


def parameters(rank: int) -> list[nn.Parameter]:
    """A plain one, a kernel in channels_last, one whose gradient only rank 1 has, and one whose nobody has."""
    kernel = torch.zeros(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    made = [nn.Parameter(t) for t in (torch.zeros(4), kernel, torch.zeros(3), torch.zeros(2))]
    made[0].grad = torch.full((4,), 1.0 + rank)
    made[1].grad = (rank + torch.arange(24.0)).view(2, 3, 2, 2)
    made[2].grad = torch.full((3,), 4.0) if rank else None
    return made


def reduced(together: World) -> dict[str, Any]:
    made = parameters(together.rank)
    terms = together.reduce_gradients(made, {"a": torch.tensor(1.0 + together.rank), "": torch.tensor(8.0)})
    return {"terms": terms, "gradients": [parameter.grad for parameter in made]}


def test_gradients_are_means_and_keep_their_layout(ranks: list[dict[str, Any]]) -> None:
    for found in (rank["gradients"] for rank in ranks):
        assert {name: float(term) for name, term in found["terms"].items()} == {"a": 1.5, "": 8.0}
        plain, kernel, of_one, nobodys = found["gradients"]
        assert plain.tolist() == [1.5] * 4
        assert torch.equal(kernel, (0.5 + torch.arange(24.0)).view(2, 3, 2, 2))
        assert kernel.is_contiguous(memory_format=torch.channels_last)
        assert of_one.tolist() == [2.0] * 3
        assert nobodys is None


def recomputed(again: bool) -> Tensor:
    """The gradient of a move through somebody's dropout, whose pass is computed again in the backward pass."""
    engine, weight = Engine(device="cpu", precision="fp32"), nn.Parameter(torch.ones(4))
    torch.manual_seed(3)

    def losses(weight: Tensor) -> Tensor:
        return dropout((torch.ones(3, 4) * weight).exp(), 0.5).square().mean()

    def piece() -> dict[str, Tensor]:
        return {"loss": checkpoint_of_torch(losses, weight, use_reentrant=False) if again else losses(weight)}

    with engine.whole_batch(3, 1):
        engine.minimize([piece], torch.optim.SGD([weight], lr=0.0))
    assert weight.grad is not None
    return weight.grad


def test_what_is_computed_again_is_drawn_again(ranks: list[dict[str, Any]]) -> None:
    once, again = ranks[0]["recomputed"]
    assert torch.equal(once, again)
    assert len(once.unique()) > 1


def said(together: World) -> dict[str, Any]:
    first = together.rank == 0
    tensors = [torch.full((2,), float(together.rank)), torch.full((3, 2), float(together.rank)).T]
    together.broadcast(tensors)
    given: list[Tensor | None] = [torch.full((2, 2), float(together.rank)), None, torch.tensor([3.0])]
    asked = precision_module.may_have_units, precision_module.remembered_gain
    precision_module.may_have_units = lambda: True
    precision_module.remembered_gain = lambda: 0.5 if first else 2.0  # a busy machine
    precision = Engine(device="cpu", precision="auto").precision
    precision_module.may_have_units, precision_module.remembered_gain = asked
    return {
        "agreed": together.agree({"step": 3} if first else None),
        "any": (together.any(not first), together.any(False)),
        "broadcast": tensors,
        "means": together.means(given),
        "means of nothing": together.means([None]),
        "who": (together.rank, together.size, together.is_main, together.capturable),
        "precision": precision,
        "between rounds": world().size,
    }


def test_what_is_said(ranks: list[dict[str, Any]]) -> None:
    for place, found in enumerate(rank["said"] for rank in ranks):
        assert found["agreed"] == {"step": 3}
        assert found["any"] == (True, False)
        assert [float(tensor.abs().max()) for tensor in found["broadcast"]] == [0.0, 0.0]
        matrix, nothing, number = found["means"]
        assert (matrix.tolist(), nothing, number.tolist()) == ([[0.5, 0.5], [0.5, 0.5]], None, [3.0])
        assert found["means of nothing"] == [None]
        assert found["who"] == (place, SIZE, place == 0, False)  # gloo is not recorded
        assert found["precision"] == "fp32"  # what rank 0 found
        assert found["between rounds"] == 1


def sums_of_a_round(run: Run) -> int:
    """How often the ranks add something up in a round of a game that couples no images."""
    real, calls = dist.all_reduce, []
    dist.all_reduce = lambda *args, **options: calls.append(real(*args, **options))
    run.play()
    dist.all_reduce = real
    return len(calls)


def test_a_move_costs_one_sum(ranks: list[dict[str, Any]]) -> None:
    moves, figures = 2, 1
    assert [rank["sums"] for rank in ranks] == [moves + figures] * SIZE


def given(run: Run) -> list[Tensor]:
    """The weights and buffers of a run before its first round."""
    modules = [*run.algorithm.networks.values(), *(ema.module for ema in run.algorithm.averages.values())]
    return [tensor for module in modules for tensor in module.state_dict().values()]


def test_all_begin_with_what_rank_0_has(ranks: list[dict[str, Any]]) -> None:
    assert apart(ranks[0]["given"], ranks[1]["given"]) == 0.0  # their seeds differed


class Recorder:
    """A graph that one of the ranks fails to record."""

    def __init__(self, run: Run, fails: bool) -> None:
        self.run, self.fails = run, fails

    def record(self, play: Any) -> Any:
        if self.fails:
            raise RuntimeError("operation not permitted")
        return DeviceMetrics(("loss/generator",), torch.zeros(1))

    def replay(self) -> None:
        raise AssertionError("what one process could not record none may replay")


class Recorders:
    def __init__(self, run: Run, fails: bool) -> None:
        self.run, self.fails = run, fails

    def __call__(self) -> Recorder:
        return Recorder(self.run, self.fails)

    def clear(self) -> None:
        """They hold nothing."""


def unrecorded(run: Run, together: World) -> list[Tensor]:
    run.rounds = Rounds(run.algorithm, run.stream, Recorders(run, together.rank == 1), 0)
    for _ in range(FIRST_ROUNDS + 2):
        run.play()
    return [parameter.detach() for parameter in run.algorithm.networks["generator"].parameters()]


def test_where_one_cannot_record_none_does(ranks: list[dict[str, Any]]) -> None:
    assert apart(ranks[0]["unrecorded"], ranks[1]["unrecorded"]) == 0.0


def agreed(run: Run, first: bool) -> list[Any]:
    """What holds after a round in which the second process was sent a signal, and after one in which the first has
    decided something."""
    interruption, found = Interruption(alone=False), []
    interruption.sent = None if first else 15
    agree(run, interruption)
    found.append((interruption.signal, run.stop_reason))
    run.stop_reason = "enough" if first else ""
    agree(run, interruption)
    return [*found, (interruption.signal, run.stop_reason)]


def test_what_one_was_sent_or_has_decided_holds_for_all(ranks: list[dict[str, Any]]) -> None:
    for found in ranks:
        assert found["agreed"] == [(15, ""), (15, "enough")]


def compared(run: Run, rank: int) -> list[str]:
    """What is said of equal weights, and of a statistic that differs in one process."""
    said = []
    for off in (0.0, 1e-6):
        next(run.algorithm.averages["generator"].module.parameters()).data += off * rank
        try:
            compare_weights(run)
            said.append("")
        except GanLabError as error:
            said.append(str(error))
    return said


def test_weights_are_compared(ranks: list[dict[str, Any]]) -> None:
    for found in ranks:
        equal, differs = found["compared"]
        assert equal == ""
        assert "the weights of generator in process 1 are not those of process 0 after step 0" in differs


def refused(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    odd = {"batch_size": 6, "accumulation": 2}
    auto = {"batch_size": "auto", "total": 8}
    for part, changed in (("engine", {"compile": "on"}), ("trainer", auto), ("trainer", odd)):
        try:
            assemble({**config, part: {**config[part], **changed}}, folder)
        except ConfigError as error:
            yield str(error)


def test_what_is_refused(ranks: list[dict[str, Any]]) -> None:
    compiled, auto, odd = ranks[0]["refused"]
    assert "compile=off" in compiled
    assert "several processes need numbers" in auto
    assert odd == "trainer.batch_size=6: 2 processes cannot share it in 2 pieces equally"
