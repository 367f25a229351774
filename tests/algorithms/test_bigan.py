"""BiGAN's game on the digits: who is judged beside which latent, who pays what, and EGBAD's score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import softplus
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.training.run import Run
from tests.compose import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = tiny_run(tmp_path, "model=egbad")
    for network in run.algorithm.networks.values():
        network.eval()  # so that a second pass is the first
    return run


def test_real_images_are_judged_beside_their_codes_and_generated_ones_beside_their_latents(run: Run) -> None:
    game: Any = run.algorithm
    batch = run.stream.next()
    fake = game.duel.fake(batch)
    judge, encoder = game.networks["discriminator"], game.networks["generator_encoder"]
    real, made = judge(batch.image, encoder(batch.image)).scores, judge(fake.image, fake.source).scores
    terms = game.duel.discriminator_terms(batch, fake, ("adversarial",))
    assert_close(terms["adversarial"], softplus(-real).mean() + softplus(made).mean())
    terms = game.duel.generator_terms(batch, fake, ("adversarial",))
    assert_close(terms["adversarial"], softplus(-made).mean())
    assert_close(terms["encoder"], softplus(real).mean())  # wants to be taken for generated


def test_the_discriminators_move_leaves_the_encoder_alone(run: Run) -> None:
    game: Any = run.algorithm
    batch = run.stream.next()
    terms = game.duel.discriminator_terms(batch, None, ("adversarial",))
    terms["adversarial"].backward()
    for role in ("generator", "generator_encoder"):
        assert all(p.grad is None for p in game.networks[role].parameters())


def test_penalties_see_images_beside_their_codes(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=egbad", "loss/regularizers=[r1]")
    game: Any = run.algorithm
    for network in game.networks.values():
        network.eval()
    batch = run.stream.next()
    terms = game.duel.discriminator_terms(batch, None, game.all_due())
    image = batch.image.clone().requires_grad_()
    code = game.networks["generator_encoder"](batch.image).detach()
    (gradient,) = torch.autograd.grad(game.networks["discriminator"](image, code).scores.sum(), image)
    expected = game.regularizers["r1"].weight * 0.5 * gradient.square().flatten(1).sum(1).mean()
    assert_close(terms["r1"], expected)


@pytest.mark.parametrize("alpha", [0.9, 0.0])
def test_its_score(run: Run, alpha: float) -> None:
    detector: Any = run.sampler().detector
    detector.alpha = alpha
    images = run.stream.next().image
    networks = detector.networks
    with torch.no_grad():
        code = networks["generator_encoder"](images)
        made = networks["generator"](code)
        features = [networks["discriminator"](each, code).features for each in (images, made)]
    pixels = (images - made).abs().flatten(1).sum(1)
    expected = alpha * pixels + (1 - alpha) * (features[0] - features[1]).abs().sum(1)
    assert_close(detector(images).scores, expected)


def test_it_shows_samples_and_what_differs(run: Run) -> None:
    columns = run.sampler().panel(run.stream.peek(3), 0)
    assert list(columns) == ["samples", "input", "made", "residual"]


def test_alpha_is_a_share(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^algorithm.alpha: 1.5 is not a share"):
        tiny_run(tmp_path, "model=egbad", "algorithm.alpha=1.5")
