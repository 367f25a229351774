"""A game a level: who sees what, who moves when, and a sample in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.latents import Uniform
from gan_lab.algorithms.pyramid import CoarseToFine, Pyramid, beside
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.layers.laplacian import enlarged, pyramid
from gan_lab.models import lapgan
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from tests.algorithms.games import parts

SHAPE = (1, 16, 16)
PLAYS = ("adversarial",)


def images(count: int = 4, seed: int = 0) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Oracle(nn.Module):
    """Knows the image of its level; where it is given an enlarged one, what is missing of it."""

    def __init__(self, image: Tensor, latent_dim: int) -> None:
        super().__init__()
        self.image, self.latent_dim = image, latent_dim
        self.given: list[Tensor] = []

    def forward(self, source: Tensor, label: Tensor | None = None) -> Tensor:
        self.given.append(source)
        return self.image


class Sure(nn.Module):
    """Gives the score 0, and keeps what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(()))
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.seen.append(image.detach())
        return self.factor * image.mean((1, 2, 3))


def networks(levels: int = 2, judge: Any = None, **settings: Any) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    nets: dict[str, nn.Module] = {"generator_0": lapgan.CoarseGenerator(SHAPE, 6, levels - 1, 8)}
    nets |= {f"generator_{k}": lapgan.Generator(SHAPE, levels - 1 - k, 4) for k in range(1, levels)}
    nets |= {f"discriminator_{k}": judge() if judge else judging(k, levels) for k in range(levels)}
    return nets


def judging(level: int, levels: int) -> nn.Module:
    kind = lapgan.Discriminator if level else lapgan.CoarseDiscriminator
    return kind(SHAPE, levels - 1 - level, 16)


def game(
    nets: dict[str, nn.Module], shares: Sequence[float] | None = None, lr: float = 0.1, **settings: Any
) -> Pyramid:
    return Pyramid(parts(nets, partial(torch.optim.SGD, lr=lr), **settings), Uniform(6), shares)


def test_a_level_sees_real_images_of_its_size_whole() -> None:
    """Every discriminator the image itself and one that was made of the enlarged coarser one; ln 2 each."""
    nets = networks(judge=Sure)
    ours, real = game(nets, lr=0.0), images()
    metrics = ours.train_step([Batch(real)], ours.all_due())
    levels = pyramid(real, 2)
    for number, level in enumerate(levels):
        seen = nets[f"discriminator_{number}"].seen
        assert_close(seen[0], level.image)
        assert [each.shape for each in seen] == [level.image.shape] * 3
        assert_close(metrics[f"loss/discriminator/adversarial_{number}"], 2 * torch.tensor(2.0).log())
        assert_close(metrics[f"loss/generator/adversarial_{number}"], torch.tensor(2.0).log())
    assert {f"score/{kind}_{k}" for kind in ("real", "fake") for k in (0, 1)} <= metrics.keys()


def test_a_fine_generator_is_given_the_coarser_real_image_and_noise() -> None:
    ours, real = game(networks()), images()
    view = ours.views(Batch(real, torch.arange(4)))["1"]
    assert view.label is not None
    assert view.label.tolist() == [0, 1, 2, 3]
    fake = ours.duels["1"].fake(view)
    assert fake.source.shape == (4, 2, 16, 16)
    assert_close(fake.source[:, :1], pyramid(real, 2)[1].blurred)
    assert fake.source[:, 1].abs().max() <= 1  # uniform
    assert not torch.equal(fake.source[:, 1], ours.duels["1"].fake(view).source[:, 1])


def test_levels_are_apart() -> None:
    """What the coarsest level does changes nothing of the other."""
    seen = []
    for factor in (1.0, 2.0):
        nets = networks()
        with torch.no_grad():
            nets["generator_0"].layers[0].weight.mul_(factor)
        torch.manual_seed(1)
        metrics = game(nets).train_step([Batch(images())], (*PLAYS, "level_1"))
        seen.append(float(metrics["loss/generator/adversarial_1"]))
        assert "loss/generator/adversarial_0" not in metrics
    assert seen[0] == seen[1]


def test_who_is_not_due_rests() -> None:
    nets = networks()
    ours = game(nets, [1, 0.5])
    before = {role: [p.detach().clone() for p in net.parameters()] for role, net in nets.items()}
    ours.train_step([Batch(images())], ours.due(1))
    moved = {role for role, net in nets.items() if not all(map(torch.equal, before[role], net.parameters()))}
    assert moved == {"generator_0", "discriminator_0"}
    early = game(networks(), adversarial_from=2, regularizers={"own": _Paid()})
    assert "adversarial" not in early.due(1)
    metrics = early.train_step([Batch(images())], early.due(1))
    assert {name for name in metrics if name.startswith("loss/discriminator")} == set()


class _Paid(torch.nn.Module):
    """Stands in for a regularizer that the generator pays in every round."""

    player, pair, patches, begin, every, weight, needs_real = "generator", "", False, 0, 1, 1.0, False

    def is_due(self, step: int) -> bool:
        return True

    def forward(self, turn: Any) -> Tensor:
        return turn.fake.square().mean()


@pytest.mark.parametrize(
    ("share", "first"), [(1, [0, 1, 2, 3]), (0.5, [0, 2, 4, 6]), (0.4, [0, 2, 5, 7]), (1 / 3, [0, 3])]
)
def test_shares_of_the_rounds(share: float, first: list[int]) -> None:
    """Evenly, from the first round on; of n rounds ceil(share n)."""
    ours = game(networks(), [1, share])
    due = [step for step in range(30) if "level_1" in ours.due(step)]
    assert due[: len(first)] == first
    assert len(due) == round(30 * share)
    assert all("level_0" in ours.due(step) for step in range(30))
    assert ours.all_due() == (*PLAYS, "level_0", "level_1")
    assert ours.round_key(0) == ours.round_key(first[1])


def test_a_sample_goes_from_coarse_to_fine() -> None:
    """Generators that know the levels of an image make that image; each is given its own noise, and the coarser image
    enlarged."""
    levels = pyramid(images(2), 3)
    oracles = [Oracle(level.image, size) for level, size in zip(levels, (6, 64, 256), strict=True)]
    whole, noise = CoarseToFine(oracles), torch.randn(2, 326)
    assert torch.equal(whole(noise), levels[2].image)
    assert torch.equal(oracles[0].given[0], noise[:, :6])
    for oracle, level, part in zip(oracles[1:], levels[1:], noise[:, 6:].split((64, 256), 1), strict=True):
        assert torch.equal(oracle.given[0][:, :1], level.blurred)
        assert torch.equal(oracle.given[0][:, 1].flatten(1), part)


@torch.no_grad()
def test_where_nothing_is_added_the_coarsest_image_is_enlarged() -> None:
    nets = networks(3)
    generators = [nets[f"generator_{k}"] for k in range(3)]
    for generator in generators[1:]:
        generator.layers[-1].weight.zero_()
        generator.layers[-1].bias.zero_()
    noise = torch.randn(2, 6 + 64 + 256)
    assert_close(CoarseToFine(generators)(noise), enlarged(enlarged(generators[0](noise[:, :6]))))


def test_samples_by_seed_and_number() -> None:
    nets = {role: net for role, net in networks(3).items() if role.startswith("generator")}
    settings = {"latent": {"_target_": "gan_lab.algorithms.latents.Uniform", "dim": 6}}
    sampler = Pyramid.sampler(nets, settings, Engine(device="cpu", precision="fp32"))
    assert sampler.codes(3, 0).shape == (3, 326)
    five, two = all_images(sampler, Request(5, 1)), all_images(sampler, Request(2, 1))
    assert five.shape == (5, *SHAPE)
    assert_close(five[:2], two)
    assert_close(all_images(sampler, Request(2, codes=sampler.codes(2, 1))), two)
    assert set(sampler.panel(Batch(images()), 0)) == {"samples"}


def test_noise_beside_an_image() -> None:
    noise = torch.arange(8.0).view(2, 4)
    assert beside(None, noise) is noise
    made = beside(torch.zeros(2, 3, 2, 2), noise)
    assert made.shape == (2, 4, 2, 2)
    assert made[1, 3].tolist() == [[4.0, 5.0], [6.0, 7.0]]


def test_what_is_refused() -> None:
    for shares in ([1.0], [0.5, 0.5], [1.0, 0.0], [1.0, 2.0], [1.0, "x"]):
        with pytest.raises(ConfigError, match=r"^algorithm.shares: .* for each of 2 levels.* e.g. \[1.0, 0.5\]"):
            game(networks(), shares)  # type: ignore[arg-type]
    nets = networks()
    nets["generator_1"] = lapgan.Generator(SHAPE, 1, 4)
    with pytest.raises(ConfigError, match=r"^model.generator_1.halvings: 1; of 2 levels.* level 1 are halved 0 times"):
        game(nets)
    nets = networks()
    del nets["discriminator_1"]
    with pytest.raises(ConfigError, match=r"^model.discriminator_1: missing"):
        game(nets)
    nets = networks()
    nets["generator_0"] = nn.Linear(1, 1)
    with pytest.raises(ConfigError, match=r"^model.generator_0: Linear does not say by `latent_dim`"):
        game(nets)
