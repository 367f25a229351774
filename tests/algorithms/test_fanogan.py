"""f-AnoGAN on the digits: a game, then an encoder while the others stand still, in one run; and its score."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import composed, tiny_run
from tests.conftest import TINY, equal

FANOGAN = ("model=fanogan", "algorithm.encoder_from=2", "algorithm.critic_steps=2")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path, *FANOGAN)


def moved(run: Run) -> list[str]:
    """The networks of which a round changes anything, statistics of BatchNorm too."""
    before = copy.deepcopy(run.algorithm.state_dict()["networks"])
    run.play()
    after = run.algorithm.state_dict()["networks"]
    return [role for role in before if not equal(dict(before[role]), dict(after[role]))]


def test_first_the_game_and_then_the_encoder_alone(run: Run) -> None:
    assert [moved(run) for _ in range(4)] == 2 * [["generator", "discriminator"]] + 2 * [["encoder"]]
    assert {"loss/encoder/pixels", "loss/encoder/features"} <= set(run.metrics)
    assert "loss/generator" not in run.metrics
    assert all(network.training for network in run.algorithm.networks.values())


def test_kinds_of_rounds(run: Run) -> None:
    game = run.algorithm
    assert game.due(1) == ("adversarial", "gradient_penalty")
    assert game.due(2) == ("encoder",)
    assert game.all_due() == ("adversarial", "gradient_penalty", "encoder")
    assert game.round_key(1) != game.round_key(2)


def test_the_encoder_moves_once_on_each_batch_of_a_round(run: Run) -> None:
    game: Any = run.algorithm
    seen: list[torch.Tensor] = []
    game.encoder_terms = lambda batch, terms=game.encoder_terms: (seen.append(batch.image), terms(batch))[1]
    run.play()
    assert not seen
    run.play()
    run.play()
    assert len(seen) == 2
    assert not torch.equal(*seen)


def test_what_it_minimises_is_what_it_scores_by(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, *FANOGAN, "algorithm.feature_weight=3")
    game: Any = run.algorithm
    batch = run.stream.next()
    networks = game.networks
    for network in networks.values():
        network.eval()
    made = networks["generator"](networks["encoder"](batch.image))
    pixels = (batch.image - made).square().flatten(1).mean(1)
    features = [networks["discriminator"](each).features for each in (batch.image, made)]
    distance = (features[0] - features[1]).square().flatten(1).mean(1)
    terms = game.encoder_terms(batch)
    assert_close(terms["pixels"], pixels.mean())
    assert_close(terms["features"], 3 * distance.mean())
    detector: Any = run.sampler().detector
    assert_close(detector(batch.image).scores, pixels.detach() + 3 * distance.detach())


def test_it_goes_on_from_a_checkpoint_between_game_and_encoder_bit_for_bit(tmp_path: Path) -> None:
    straight = tiny_run(tmp_path, *FANOGAN)
    for _ in range(4):
        straight.play()
    first = tiny_run(tmp_path, *FANOGAN)
    first.play()
    first.play()
    state = checkpoint.load(checkpoint.save(tmp_path / "checkpoints", first.state_dict(), 1))
    second, _ = assemble(composed(*TINY, *FANOGAN), tmp_path, state)
    second.play()
    second.play()
    assert equal(straight.algorithm.state_dict(), second.algorithm.state_dict())


def test_a_run_that_ends_before_the_encoder_is_told_so(run: Run) -> None:
    assert run.algorithm.shortfall(1000, 3) is None
    told = run.algorithm.shortfall(1000, 2)
    assert told is not None
    assert told.startswith("algorithm.encoder_from: this run ends after 2 rounds")


def test_a_discriminator_without_features(run: Run) -> None:
    game: Any = run.algorithm
    game.networks["discriminator"].forward = lambda images, label=None: images.mean((1, 2, 3))
    with pytest.raises(ConfigError, match=r"^model.discriminator: f-AnoGAN compares its features"):
        game.encoder_terms(run.stream.next())
