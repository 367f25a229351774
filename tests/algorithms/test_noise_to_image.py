"""The order of moves: the textbook's numbers, only the mover moves, lazy terms, accumulation."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.schedules import LinearDecay
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.losses import adversarial
from gan_lab.losses.regularizers import R1, Regularizer, Turn
from gan_lab.models import dcgan
from tests.algorithms.games import noise_game

SHAPE, DIM = (1, 16, 16), 8
PLAYS = ("adversarial",)  # due in a round without regularizers


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"generator": dcgan.Generator(SHAPE, DIM, 4), "discriminator": dcgan.Discriminator(SHAPE, 4)}


def game(
    nets: Mapping[str, nn.Module] | None = None, lr: float = 1e-2, optimizer: Any = torch.optim.Adam, **more: Any
) -> NoiseToImage:
    found: NoiseToImage = noise_game(nets or networks(), DIM, optimizer=partial(optimizer, lr=lr), **more)
    return found


def batch(n: int = 8, seed: int = 1) -> Batch:
    return Batch(torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1, None)


def snapshot(network: nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in network.parameters()]


def moved(network: nn.Module, before: list[torch.Tensor]) -> list[bool]:
    return [not torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True)]


def test_a_round_equals_the_textbook_loop() -> None:
    """Two discriminator passes, BCE on probabilities, plain Adam, the same fake for both moves (PyTorch's DCGAN)."""
    ours = game()
    nets = {role: copy.deepcopy(net) for role, net in ours.networks.items()}
    generator, discriminator = nets["generator"], nets["discriminator"]
    adam = {role: torch.optim.Adam(net.parameters(), lr=1e-2) for role, net in nets.items()}
    bce = nn.BCELoss()
    for step in range(5):
        real = batch(seed=step)
        torch.manual_seed(step)
        metrics = ours.train_step([real], ours.due(step))

        torch.manual_seed(step)
        fake = generator(torch.randn(8, DIM))
        adam["discriminator"].zero_grad()
        loss_real = bce(torch.sigmoid(discriminator(real.image).scores), torch.ones(8))
        loss_fake = bce(torch.sigmoid(discriminator(fake.detach()).scores), torch.zeros(8))
        (loss_real + loss_fake).backward()
        adam["discriminator"].step()
        adam["generator"].zero_grad()
        loss_generator = bce(torch.sigmoid(discriminator(fake).scores), torch.ones(8))
        loss_generator.backward()
        adam["generator"].step()

        assert_close(metrics["loss/discriminator"], (loss_real + loss_fake).detach(), rtol=1e-4, atol=1e-5)
        assert_close(metrics["loss/generator"], loss_generator.detach(), rtol=1e-4, atol=1e-5)
    for role, net in nets.items():
        assert_close(ours.networks[role].state_dict(), net.state_dict(), rtol=1e-3, atol=1e-4)


def test_only_the_mover_moves() -> None:
    ours = game(reuse_fake=False)
    generator, discriminator = ours.networks["generator"], ours.networks["discriminator"]
    before = snapshot(generator), snapshot(discriminator)
    ours.move_discriminator(batch(), PLAYS)
    assert all(moved(discriminator, before[1]))
    assert not any(moved(generator, before[0]))
    before = snapshot(generator), snapshot(discriminator)
    ours.move_generator(batch(), PLAYS)
    assert all(moved(generator, before[0]))
    assert not any(moved(discriminator, before[1]))


@pytest.mark.parametrize("steps", [1, 3])
def test_the_critic_moves_as_often_as_asked(steps: int) -> None:
    ours = game(critic_steps=steps)
    ours.train_step([batch(seed=i) for i in range(ours.batches_per_round)], PLAYS)
    counts = {role: int(next(iter(o.state.values()))["step"]) for role, o in ours.optimizers.items()}
    assert counts == {"discriminator": steps, "generator": 1}


class Counted(Regularizer):
    """The squared mean of the critic's score on real images, counting its calls."""

    calls = 0

    def __call__(self, turn: Turn) -> torch.Tensor:
        self.calls += 1
        return turn.critic(turn.real).mean().square()


def test_a_lazy_regularizer_is_due_every_so_often_and_counts_for_the_rounds_it_sat_out() -> None:
    lazy = Counted(weight=2.0, every=4)
    ours = game(regularizers={"lazy": lazy, "r1": R1(weight=1.0)}, lr=0.0)
    assert [ours.due(step) for step in range(5)] == [
        (*PLAYS, *names) for names in (("lazy", "r1"), ("r1",), ("r1",), ("r1",), ("lazy", "r1"))
    ]
    metrics = [ours.train_step([batch()], ours.due(step)) for step in range(5)]
    assert lazy.calls == 2
    assert ["loss/discriminator/lazy" in m for m in metrics] == [True, False, False, False, True]
    score = metrics[0]["score/real"]
    assert_close(metrics[0]["loss/discriminator/lazy"], 2.0 * 4 * score.square(), rtol=1e-4, atol=1e-8)
    total = sum(metrics[0][f"loss/discriminator/{name}"] for name in ("adversarial", "lazy", "r1"))
    assert_close(metrics[0]["loss/discriminator"], total)


def test_the_players_play_from_their_round_on() -> None:
    ours = game(regularizers={"r1": R1(weight=1.0)})
    ours.game = replace(ours.game, adversarial_from=2)
    assert [ours.due(step) for step in range(4)] == [("r1",), ("r1",), (*PLAYS, "r1"), (*PLAYS, "r1")]


class ByGenerator(Counted):
    player = "generator"


class ByNobody(Counted):
    player = "referee"


def test_a_regularizer_belongs_to_its_player() -> None:
    metrics = game(regularizers={"mine": ByGenerator(1.0)}).train_step([batch()], (*PLAYS, "mine"))
    assert "loss/generator/mine" in metrics
    assert "loss/discriminator/mine" not in metrics
    with pytest.raises(ConfigError, match=r"loss\.regularizers\.odd: its player 'referee'"):
        game(regularizers={"odd": ByNobody(1.0)})


class Linear(nn.Module):
    """Without BatchNorm, so that pieces of a batch do not know of each other."""

    def __init__(self, inputs: int, outputs: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, int(torch.tensor(outputs).prod()) if outputs else 1)
        self.outputs = outputs

    def forward(self, x: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return self.layer(x.flatten(1)).view(-1, *self.outputs)


def test_accumulation_gives_the_whole_batch_gradient() -> None:
    def play(pieces: int) -> NoiseToImage:
        torch.manual_seed(0)
        nets = {"generator": Linear(DIM, SHAPE), "discriminator": Linear(256, ())}
        ours = game(nets, optimizer=torch.optim.SGD, accumulation=pieces, reuse_fake=False)
        torch.manual_seed(7)
        ours.train_step([batch()], PLAYS)
        return ours

    whole, cut = play(1), play(4)
    for role in whole.networks:
        assert_close(cut.networks[role].state_dict(), whole.networks[role].state_dict())


def test_relativistic_hears_the_real_scores() -> None:
    """softplus(x) - softplus(-x) = x: with nobody moving, the two losses differ by the mean difference of scores."""
    metrics = game(loss=adversarial.Relativistic(), lr=0.0).train_step([batch()], PLAYS)
    gap = metrics["score/real"] - metrics["score/fake"]
    assert abs(float(gap)) > 1e-3
    assert_close(metrics["loss/generator"] - metrics["loss/discriminator"], gap, rtol=1e-4, atol=1e-6)


def test_averages_follow_the_generator() -> None:
    ours = game(decay=0.0)
    ours.train_step([batch()], PLAYS)
    ours.average(0)
    assert_close(ours.averages["generator"].module.state_dict(), ours.networks["generator"].state_dict())


def test_schedules_reach_both_players_and_keep_their_ratio() -> None:
    ours = game(schedule=LinearDecay(steps=10))
    ours.base_rates["discriminator"] = [4e-2]
    ours.schedule_step(5)
    assert ours.learning_rates() == pytest.approx({"generator": 5e-3, "discriminator": 2e-2})
    assert ours.optimizers["discriminator"].param_groups[0]["lr"] == pytest.approx(2e-2)


def test_state_dict_continues_the_game_exactly() -> None:
    def play(ours: NoiseToImage, steps: range) -> None:
        for step in steps:
            torch.manual_seed(step)
            ours.train_step([batch(seed=step)], PLAYS)
            ours.average(step)

    straight = game()
    play(straight, range(4))
    first, second = game(), game({role: net.apply(_zero) for role, net in networks().items()})
    play(first, range(2))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    play(second, range(2, 4))
    ours, theirs = second.state_dict(), straight.state_dict()
    assert_close(ours["networks"], theirs["networks"], rtol=0, atol=0)
    assert_close(ours["ema"], theirs["ema"], rtol=0, atol=0)
    assert_close(ours["optimizers"], theirs["optimizers"], rtol=0, atol=0)


def _zero(module: nn.Module) -> None:
    for parameter in module.parameters(recurse=False):
        nn.init.zeros_(parameter)


def test_missing_role_is_named() -> None:
    with pytest.raises(ConfigError, match=r"model\.discriminator: missing"):
        game({"generator": networks()["generator"]})
