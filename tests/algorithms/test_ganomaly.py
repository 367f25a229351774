"""GANomaly's game on the digits: its terms by hand, what moves, and its score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.algorithms.ganomaly import Ganomaly
from gan_lab.errors import ConfigError
from gan_lab.models import dcgan
from gan_lab.training.run import Run
from tests.compose import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path, "model=ganomaly")


def test_what_the_generator_pays_by_hand(run: Run) -> None:
    """1 x features in squares, 50 x pixels, 1 x codes in squares, and nothing for its scores."""
    game: Any = run.algorithm
    for network in game.networks.values():
        network.eval()  # so that a second pass is the first
    batch = run.stream.next()
    generator, judge = game.networks["generator"], game.networks["discriminator"]
    fake = game.duel.fake(batch)
    terms = game.duel.generator_terms(batch, fake, game.all_due(), game.compared(batch, fake))
    code = generator.encoder(batch.image)
    made = generator.decoder(code)
    again = game.networks["generator_encoder"](made)
    assert terms["adversarial"] == 0
    assert_close(terms["l1"], 50 * (batch.image - made).abs().mean())
    assert_close(terms["latent"], (again - code).square().mean())
    assert_close(terms["features"], (judge(batch.image).features - judge(made).features).square().mean())


def test_codes_learn_on_both_sides(run: Run) -> None:
    """The latent term reaches the first encoder by both ways, and the second."""
    game: Any = run.algorithm
    batch = run.stream.next()
    again, code = game.compared(batch, game.duel.fake(batch))["latent"]
    for side, roles in ((code, ("generator",)), (again, ("generator", "generator_encoder"))):
        for network in game.networks.values():
            network.zero_grad()
        side.sum().backward(retain_graph=True)
        moved = [role for role, net in game.networks.items() if any(p.grad is not None for p in net.parameters())]
        assert tuple(moved) == roles


def test_its_score_is_how_far_the_codes_are_apart(run: Run) -> None:
    detector: Any = run.sampler().detector
    images = run.stream.next().image
    generator, second = detector.networks["generator"], detector.networks["generator_encoder"]
    with torch.no_grad():
        code = generator.encoder(images)
        made = generator.decoder(code)
        expected = (code - second(made)).abs().mean(1)
    found = detector(images)
    assert_close(found.scores, expected)
    assert_close(found.made, made)


def test_it_shows_what_differs(run: Run) -> None:
    columns = run.sampler().panel(run.stream.peek(3), 0)
    assert list(columns) == ["input", "made", "residual"]
    assert_close(columns["residual"], (columns["input"] - columns["made"]).abs() - 1)


def test_what_it_cannot_do_without(run: Run, tmp_path: Path) -> None:
    game = run.algorithm.game
    networks = {**game.networks, "generator": dcgan.Generator([1, 16, 16], 8, 4)}
    with pytest.raises(ConfigError, match="has no encoder; Ganomaly asks for the codes"):
        Ganomaly(replace(game, networks=networks))
    with pytest.raises(ConfigError, match="the data has no inputs"):
        tiny_run(tmp_path, "model=ganomaly", "degradation=none").play()
