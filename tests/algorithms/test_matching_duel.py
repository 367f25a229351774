"""What both sides pay in a duel over images and captions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from gan_lab.algorithms.matching_duel import MatchingDuel
from gan_lab.algorithms.mismatched import mismatched
from gan_lab.data.batch import Batch
from gan_lab.data.sources.coloured_shapes import draw
from gan_lab.data.tokens import tokenizer_of
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


KINDS = (("red", "square"), ("blue", "circle"))


@pytest.mark.parametrize(("model", "rounds"), [("dfgan", 70), pytest.param("gan_cls", 150, marks=pytest.mark.whole)])
def test_swapped_captions_lower_the_score_once_it_was_trained(model: str, rounds: int, tmp_path: Path) -> None:
    """Of red squares and blue circles that it has not seen, each with the other's caption; not so before."""
    run = tiny_run(tmp_path, f"model={model}", "width=8", "optimizer.discriminator.lr=1e-3")
    duel, tokenizer = duel_of(run), tokenizer_of(run.config)
    assert tokenizer is not None
    said = torch.from_numpy(tokenizer.encode([f"a {colour} {shape}" for colour, shape in KINDS]))
    random = np.random.default_rng(0)

    def shapes(count: int) -> Batch:
        kinds = torch.arange(count) % 2
        drawn = np.stack([draw(*KINDS[kind], random.random(3), 16) for kind in kinds.tolist()])
        return Batch(torch.from_numpy(drawn).float() / 127.5 - 1, caption=said[kinds])

    def lowered(batch: Batch) -> torch.Tensor:
        duel.discriminator.eval()
        assert batch.caption is not None
        with torch.no_grad():
            own, other = (duel.discriminator(batch.image, c).scores for c in (batch.caption, batch.caption.roll(1, 0)))
        duel.discriminator.train()
        return own - other

    unseen = shapes(40)
    assert float(lowered(unseen).gt(0.5).float().mean()) < 0.6
    for _ in range(rounds):
        run.algorithm.train_step([shapes(16)], ("adversarial", *duel.regularizers))
    assert float(lowered(unseen).gt(0.5).float().mean()) > 0.95
