"""One generator against one discriminator: what each sees, and when both kinds of images go in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.algorithms.duel import Duel, is_per_image
from gan_lab.data.batch import Batch
from gan_lab.losses.adversarial import Relativistic
from gan_lab.losses.lecam import LeCam
from gan_lab.losses.regularizers import Regularizer, Turn
from gan_lab.training.run import Run
from tests.algorithms.games import parts
from tests.compose import tiny_run

JOINED = ["gan", "gan_small", "wgan_gp", "wgan_gp_resnet", "r3gan"]
APART = ["dcgan", "wgan", "lsgan", "conv_gan", "cdcgan", "sngan", "sagan", "biggan"]  # BatchNorm, or spectral norm


def duel(run: Run) -> Duel:
    return run.algorithm.duels[""]


@pytest.mark.parametrize("model", [*JOINED, *APART])
def test_which_discriminators(model: str, tmp_path: Path) -> None:
    discriminator = duel(tiny_run(tmp_path, f"model={model}")).discriminator
    assert is_per_image(discriminator) == (model in JOINED)


@pytest.mark.parametrize("technique", ["minibatch_stddev", "minibatch_discrimination", "spectral_norm", "diffaugment"])
def test_what_couples_images_keeps_the_passes_apart(technique: str, tmp_path: Path) -> None:
    assert duel(tiny_run(tmp_path, "model=wgan_gp", "loss=hinge")).one_pass
    assert not duel(tiny_run(tmp_path, "model=wgan_gp", "loss=hinge", f"+technique=[{technique}]")).one_pass


def test_of_a_users_own_module_nothing_is_known() -> None:
    class Mine(nn.Module):
        pass

    assert is_per_image(nn.Sequential(nn.Conv2d(1, 1, 1)))
    assert not is_per_image(nn.Sequential(nn.Conv2d(1, 1, 1), Mine()))


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=wgan_gp", "algorithm.critic_steps=2"],
        ["model=gan", "model.discriminator.dropout=0", "loss=relativistic_r1_r2"],
        ["model=gan_small", "+technique=[feature_matching,packing]"],
        ["model=cgan", "model.discriminator.dropout=0"],
        ["model=gan_small", "+technique=[several_discriminators]"],
    ],
    ids=lambda overrides: "-".join(overrides[:2]),
)
def test_the_numbers_are_the_same(overrides: list[str], tmp_path: Path) -> None:
    together, apart = tiny_run(tmp_path, *overrides), tiny_run(tmp_path, *overrides)
    assert duel(together).one_pass
    duel(apart).one_pass = False
    for _ in range(2):
        figures = []
        for run in (together, apart):
            torch.manual_seed(run.step)
            run.play()
            figures.append(run.metrics.vector)  # type: ignore[attr-defined]
        assert_close(figures[0], figures[1], rtol=5e-3, atol=1e-4)


class Recording(nn.Module):
    """A network that remembers what it was given, and makes one number of it."""

    def __init__(self, makes: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.makes = makes
        self.seen: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def forward(self, given: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        self.seen.append((given.detach().clone(), condition))
        return self.weight * given.flatten(1).mean(1).view(-1, *[1] * len(self.makes)).expand(-1, *self.makes)


class Marking(nn.Module):
    """An augmentation that can be seen: adds 10."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + 10


class Asking(Regularizer):
    """Asks the critic and the generator, as penalties do."""

    def __init__(self, player: str) -> None:
        super().__init__(1.0)
        self.player = player

    def __call__(self, turn: Turn) -> torch.Tensor:
        assert turn.generator is not None
        assert turn.latent is not None
        asked = turn.critic(turn.real + 1).mean() + turn.critic(turn.generator(turn.latent) + 2).mean()
        return asked + turn.critic(turn.real, condition=None).mean()


LABEL, INPUT = torch.tensor([3, 1]), torch.full((2, 1, 2, 2), 0.25)
BATCH = Batch(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2), LABEL, INPUT)
SOURCE = torch.full((2, 4), 5.0)
DUE = ("adversarial", "asking")


def recorded(player: str, condition: str | None, generator_condition: str | None) -> tuple[Duel, Recording, Recording]:
    generator, discriminator = Recording((1, 2, 2)), Recording(())
    networks = {"generator": generator, "discriminator": discriminator}
    game = parts(networks, augmentation=Marking(), regularizers={"asking": Asking(player)}, loss=Relativistic())
    made = Duel(game, lambda batch, random: SOURCE, condition=condition, generator_condition=generator_condition)
    return made, generator, discriminator


@pytest.mark.parametrize(("condition", "generator_condition"), [("label", "label"), ("input", None), (None, "label")])
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_who_sees_what(player: str, condition: str | None, generator_condition: str | None) -> None:
    """Real images, generated ones and those of penalties go through the augmentation, once each, beside the batch's
    condition; the generator gets its own condition, wherever it is asked."""
    game, generator, discriminator = recorded(player, condition, generator_condition)
    if player == "discriminator":
        terms = game.discriminator_terms(BATCH, None, DUE)
    else:
        terms = game.generator_terms(BATCH, game.fake(BATCH), DUE)
    assert set(terms) == {"adversarial", "asking"}
    values = [tuple(images.flatten(1).mean(1).tolist()) for images, _ in discriminator.seen]
    real, fake = (11.0, 12.0), (15.0, 15.0)
    assert values == [real, fake, (12.0, 13.0), (17.0, 17.0), real]
    *usual, other = [seen for _, seen in discriminator.seen]
    expected = {"label": LABEL, "input": INPUT, None: None}
    assert all(each is expected[condition] for each in usual)
    assert other is None  # the condition that the penalty asked about
    assert [images.mean().item() for images, _ in generator.seen] == [5.0, 5.0]
    assert all(each is expected[generator_condition] for _, each in generator.seen)


def test_only_the_mover_is_given_a_gradient() -> None:
    game, generator, discriminator = recorded("discriminator", "label", "label")
    sum(game.discriminator_terms(BATCH, game.fake(BATCH), ("adversarial",)).values()).backward()  # type: ignore[union-attr]
    assert generator.weight.grad is None
    assert discriminator.weight.grad is not None


def test_scores_are_noted_once_and_not_where_somebody_else_observes() -> None:
    game, *_ = recorded("discriminator", None, None)
    game.discriminator_terms(BATCH, None, ("adversarial",))
    assert {name: float(value) for name, value in game.scores().items()} == {"score/real": 11.5, "score/fake": 15.0}
    assert game.scores() == {}
    heard = []
    game.discriminator_terms(BATCH, None, ("adversarial",), lambda real, fake: heard.append((real, fake)))
    assert len(heard) == 1
    assert game.scores() == {}


def test_before_the_game_begins_nobody_is_judged() -> None:
    game, _, discriminator = recorded("generator", None, None)
    assert set(game.generator_terms(BATCH, game.fake(BATCH), ())) == set()
    assert discriminator.seen == []


def test_a_second_duel_has_names_of_its_own() -> None:
    generator, discriminator = Recording((1, 2, 2)), Recording(())
    game = parts(
        {"generator_ab": generator, "discriminator_ab": discriminator},
        regularizers={"memory": LeCam(start=0)},
    )
    made = Duel(game, lambda batch, random: SOURCE, "generator_ab", "discriminator_ab", None, None, "ab")
    assert set(made.discriminator_terms(BATCH, None, ("adversarial", "memory"))) == {"adversarial_ab", "memory_ab"}
    assert set(made.scores()) == {"score/real_ab", "score/fake_ab"}
    assert all(name.startswith("ab.") for name in game.regularizers["memory"].state_dict())
