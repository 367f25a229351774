"""What both sides pay in a duel over images and captions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from gan_lab.algorithms.matching_duel import MatchingDuel
from gan_lab.algorithms.mismatched import mismatched
from gan_lab.training.run import Run
from tests.compose import tiny_run


def duel_of(run: Run) -> MatchingDuel:
    duel = run.algorithm.duels[""]
    assert isinstance(duel, MatchingDuel)
    return duel


@pytest.mark.parametrize("weight", [0.5, 0.2])
def test_a_wrong_caption_counts_beside_a_generated_image(weight: float, tmp_path: Path) -> None:
    """Hinge: E relu(1 - real) + (1 - c) E relu(1 + fake) + c E relu(1 + wrong)."""
    run = tiny_run(tmp_path, "model=gan_cls", "loss=hinge", f"algorithm.mismatch_weight={weight}")
    duel, batch = duel_of(run), run.stream.peek(6)
    fake = duel.fake(batch)
    found = duel.discriminator_terms(batch, fake, ("adversarial",))
    captions, _ = mismatched(batch.caption)
    real, made, wrong = (
        duel.discriminator(*each).scores
        for each in ((batch.image, batch.caption), (fake.image, batch.caption), (batch.image, captions))
    )
    parts = [torch.relu(1 - real).mean(), torch.relu(1 + made).mean(), torch.relu(1 + wrong).mean()]
    assert_close(found["adversarial"] + found["mismatched"], parts[0] + (1 - weight) * parts[1] + weight * parts[2])
    assert_close(found["mismatched"], weight * (parts[0] + parts[2]))


def test_without_another_caption_the_generated_image_counts_twice(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_cls", "loss=hinge")
    duel, batch = duel_of(run), run.stream.peek(4)
    batch = batch._replace(caption=batch.caption[:1].expand(4, -1))
    fake = duel.fake(batch)
    found = duel.discriminator_terms(batch, fake, ("adversarial",))
    assert_close(found["mismatched"], found["adversarial"])


def test_captions_between_two(tmp_path: Path) -> None:
    """Embeddings of neighbours, each network's own, are met halfway; one image for each two samples."""
    run = tiny_run(tmp_path, "model=gan_cls", "loss=wasserstein", "algorithm.interpolation=3.0")
    duel, batch = duel_of(run), run.stream.peek(5)
    for network in (duel.generator, duel.discriminator):
        network.eval()
    torch.manual_seed(1)
    fake = duel.fake(batch)
    found = duel.generator_terms(batch, fake, ("adversarial",))
    torch.manual_seed(1)
    duel.source(batch, None)
    latent = duel.source(batch.part(slice(0, 2)), None)
    of_g, of_d = (
        (e[0:4:2] + e[1:4:2]) / 2 for e in (n.embed(batch.caption) for n in (duel.generator, duel.discriminator))
    )
    expected = -duel.discriminator(duel.generator(latent, of_g), of_d).scores.mean()
    assert_close(found["interpolated"], 3 * expected)
    assert "interpolated" not in duel.generator_terms(
        batch.part(slice(0, 1)), duel.fake(batch.part(slice(0, 1))), ("adversarial",)
    )
