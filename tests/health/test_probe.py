"""What a look measures, in closed form, on every kind of player, and without a trace."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from gan_lab.health.probe import Probe, accuracy, at_the_ends, pull, score_of_each
from gan_lab.health.variety import distance, spread
from gan_lab.losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Relativistic, Wasserstein
from tests.compose import tiny_run
from tests.conftest import equal

REAL, FAKE = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 0.5])


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def test_accuracy_is_the_share_of_pairs_in_order() -> None:
    torch.testing.assert_close(accuracy(torch.tensor([3.0, 0.0]), torch.tensor([1.0, 0.0])), torch.tensor(2.5 / 4))


def test_distance_is_the_mean_over_pairs() -> None:
    corners = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]).view(3, 2, 1, 1)
    torch.testing.assert_close(distance(corners), torch.tensor(10 / 3))
    assert float(distance(corners[:1])) == 0.0


def test_spread_within_classes() -> None:
    images = torch.tensor([0.0, 1.0, 10.0, 13.0]).view(4, 1, 1, 1)
    assert spread(images, torch.tensor([0, 0, 1, 1])) == 2.0
    assert spread(images, torch.tensor([0, 1, 2, 3])) == spread(images, None)  # no two share one


def test_at_the_ends() -> None:
    assert float(at_the_ends(torch.tensor([1.0, -1.0, 0.98, 0.0]))) == 0.5


def test_a_map_of_scores_counts_as_its_mean() -> None:
    assert torch.equal(score_of_each(torch.arange(8.0).view(2, 1, 2, 2)), torch.tensor([1.5, 5.5]))
    assert torch.equal(score_of_each(REAL), REAL)


def test_pulls_in_closed_form() -> None:
    margin = [sigmoid(0.0 - 3.0), sigmoid(0.0)]
    left = (sigmoid(-2.0) + sigmoid(-0.5) + sigmoid(-1.0) + sigmoid(0.5)) / 2
    expected = {
        Minimax(): ((sigmoid(-1.0) + sigmoid(0.5)) / 2, left),
        NonSaturating(): ((sigmoid(1.0) + sigmoid(-0.5)) / 2, left),
        Wasserstein(): (1.0, 1.0),
        Hinge(): (1.0, (0 + 1 + 0 + 1) / 4),
        LeastSquares(): ((2.0 + 0.5) / 2, (1.0 + 0.5 + 1.0 + 0.5) / 2),
        Relativistic(): (1 - sum(margin) / 2, sum(margin)),
    }
    for loss, (generator, discriminator) in expected.items():
        found = pull(loss, REAL, FAKE)
        torch.testing.assert_close(torch.stack(found), torch.tensor([generator, discriminator]))


PLAYERS = {
    "plain": ("model=gan",),
    "conditional": ("model=cdcgan",),
    "classifier": ("model=acgan",),
    "points": ("model=points", "dataset=ring"),
    "packs of three": (
        "model=dcgan",
        "+technique=[packing]",
        "wrappers.discriminator.packing.size=3",
        "trainer.batch_size=6",
    ),
    "ensemble": ("model=dcgan", "+technique=[several_discriminators]"),
    "batch statistics": ("model=dcgan", "+technique=[minibatch_stddev]"),
    "spectral norm and attention": ("model=sagan",),
    "adaptive augmentation": ("model=dcgan", "+technique=[adaptive_augmentation]"),
    "top k": ("model=gan_small", "+technique=[top_k]"),
    "unrolled": ("model=gan_small", "algorithm=unrolled"),
    "images from images": ("model=pix2pix",),
}
OF_ANSWERS = ["influence", "input_distance", "target_distance", "input_correlation", "target_correlation"]


@pytest.mark.parametrize("players", PLAYERS)
def test_every_kind_of_player_and_no_trace(players: str, tmp_path: Path) -> None:
    run = tiny_run(tmp_path, *PLAYERS[players])
    probe = Probe(run, 16)
    probe.movement.before()
    run.play()
    probe.movement.after()
    before = {name: part.copy() if isinstance(part, dict) else part for name, part in run.state_dict().items()}
    modes = [module.training for network in run.algorithm.networks.values() for module in network.modules()]
    frozen = torch.utils._pytree.tree_map(lambda x: x.clone() if isinstance(x, torch.Tensor) else x, before)
    look = probe.look(run)
    after = run.state_dict()
    assert equal(frozen, after)
    assert modes == [module.training for network in run.algorithm.networks.values() for module in network.modules()]
    missing = [name for name, value in look._asdict().items() if not math.isfinite(value)]
    assert [name for name in missing if name not in (*OF_ANSWERS, "checkerboard")] == ["setback"]  # who measures knows
    assert [name for name in OF_ANSWERS if name in missing] == ([] if "images" in players else OF_ANSWERS)
    assert ("checkerboard" in missing) == (players == "points")
    assert 0 <= look.accuracy <= 1
    updates = {"update_generator": math.nan, "update_discriminator": math.nan}  # of the one round, and read
    assert probe.look(run).scalars() == look._replace(**updates).scalars()


def test_a_game_without_duels_is_looked_at_from_outside(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    run.algorithm.duels.clear()
    look = Probe(run).look(run)
    assert set(look.scalars()) == {"health/epochs", "health/growth", "health/finite"}


def test_a_game_without_a_judge_is_looked_at_through_its_sampler(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=edsr", "degradation=downscale")
    frozen = {name: part.clone() for name, part in run.algorithm.networks["generator"].state_dict().items()}
    look = Probe(run, 16).look(run)
    assert equal(frozen, dict(run.algorithm.networks["generator"].state_dict()))
    assert all(math.isfinite(getattr(look, name)) for name in (*OF_ANSWERS, "checkerboard", "saturated"))
    assert math.isnan(look.accuracy)


def test_numbers_that_are_none_are_noticed(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    probe = Probe(run)
    next(run.algorithm.networks["discriminator"].parameters()).data.fill_(float("nan"))
    assert probe.look(run).finite == 0.0


def test_data_without_variety_has_no_diversity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    monkeypatch.setattr(run.stream, "peek", lambda n: run.stream.at(torch.zeros(n, dtype=torch.long)))
    look = Probe(run).look(run)
    assert math.isnan(look.diversity)
    assert look.finite == 1.0
