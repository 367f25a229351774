"""Which fakes each player moves on: reused or fresh, one for each real image or several, in one piece or in many."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.losses.adversarial import Relativistic, Wasserstein
from gan_lab.losses.regularizers import R1, Regularizer, Turn
from tests.algorithms.games import noise_game

SHAPE, DIM = (1, 2, 2), 3
PLAYS = ("adversarial",)


class Recording(nn.Module):
    """A linear network without statistics, so that pieces do not know of each other; it notes what it is asked."""

    def __init__(self, inputs: int, outputs: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, int(torch.tensor(outputs).prod()) if outputs else 1)
        self.outputs = outputs
        self.asked: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked.append((x.detach().clone(), label))
        scale = 1.0 if label is None else (1.0 + label.view(-1, 1))  # so that a wrong label is a wrong number
        return (self.layer(x.flatten(1)) * scale).view(-1, *self.outputs)

    def all_asked(self, start: int = 0) -> Tensor:
        return torch.cat([x for x, _ in self.asked[start:]])


def game(**settings: Any) -> NoiseToImage:
    torch.manual_seed(0)
    nets = {"generator": Recording(DIM, SHAPE), "discriminator": Recording(4, ())}
    settings = {"optimizer": lambda params: torch.optim.SGD(params, lr=0.1), "reuse_fake": False, **settings}
    found: NoiseToImage = noise_game(nets, DIM, **settings)
    return found


def batch(n: int = 4) -> Batch:
    images = torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))
    return Batch(images, torch.arange(n) % 3)


def played(pieces: int = 1, **settings: Any) -> NoiseToImage:
    ours = game(accumulation=pieces, **settings)
    torch.manual_seed(7)
    ours.train_step([batch() for _ in range(ours.batches_per_round)], PLAYS)
    return ours


@pytest.mark.parametrize("critic_steps", [1, 2])
def test_reused_fakes_are_the_same_however_the_batch_is_cut(critic_steps: int) -> None:
    whole, cut = (played(pieces, reuse_fake=True, critic_steps=critic_steps) for pieces in (1, 4))
    for role in whole.networks:
        assert_close(cut.networks[role].state_dict(), whole.networks[role].state_dict())
    generator = cut.networks["generator"]
    assert isinstance(generator, Recording)
    latents = generator.all_asked().view(critic_steps + 1, 4, DIM)
    assert torch.equal(latents[-1], latents[-2])  # both players: the last of the discriminator's
    assert len(latents[:-1].flatten(0, 1).unique(dim=0)) == 4 * critic_steps
    assert torch.equal(latents[-1], whole.networks["generator"].asked[-1][0])  # type: ignore[index, union-attr]


@pytest.mark.parametrize("pieces", [1, 2])
def test_fresh_fakes_differ(pieces: int) -> None:
    generator = played(pieces).networks["generator"]
    assert isinstance(generator, Recording)
    assert len(generator.all_asked().unique(dim=0)) == 8


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("times", [2, 3])
def test_the_generators_batch(times: int, pieces: int) -> None:
    """So many fresh latents for each real image, with its label; the loss is the mean over all of them."""
    ours = game(generator_batch=times, accumulation=pieces, loss=Wasserstein())
    metrics = ours.move_generator(batch(), PLAYS)
    generator, discriminator = ours.networks["generator"], ours.networks["discriminator"]
    assert isinstance(generator, Recording)
    assert isinstance(discriminator, Recording)
    assert len(generator.all_asked().unique(dim=0)) == 4 * times
    for network in (generator, discriminator):
        labels = torch.cat([label for _, label in network.asked if label is not None])
        assert labels.tolist() == [label for label in (0, 1, 2, 0) for _ in range(times)]
    scores = discriminator(discriminator.all_asked(), labels)  # it did not move
    assert len(scores) == 4 * times
    assert_close(metrics["loss/generator"], -scores.mean().detach())


def test_the_discriminators_batch_stays() -> None:
    discriminator = played(generator_batch=2).networks["discriminator"]
    assert isinstance(discriminator, Recording)
    assert [len(x) for x, _ in discriminator.asked] == [4, 4, 8]  # real, fake; the generator's fakes


def test_pairs_of_a_larger_batch_are_by_position() -> None:
    """The relativistic loss pairs each fake with the real image whose label it has."""
    ours = game(generator_batch=2, loss=Relativistic())
    metrics = ours.move_generator(batch(), PLAYS)
    discriminator = ours.networks["discriminator"]
    assert isinstance(discriminator, Recording)
    (real, labels), (fake, _) = discriminator.asked
    assert_close(real, batch().image.repeat_interleave(2, 0))
    margin = discriminator(real, labels) - discriminator(fake, labels)
    assert_close(metrics["loss/generator"], torch.nn.functional.softplus(margin).mean().detach())


class Watching(Wasserstein):
    """Notes how many images of a piece a process has while a loss is taken."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        self.pieces.append(world().piece)
        return super().discriminator(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        self.pieces.append(world().piece)
        return super().generator(fake, real)


def test_every_process_has_as_many_more_fakes() -> None:
    """What is drawn for them is told by their number."""
    ours = game(generator_batch=3, loss=Watching(), accumulation=2)
    with world().playing(2, 2):
        ours.train_step([batch()], PLAYS)
        assert world().piece == 2
    assert ours.game.adversarial.pieces == [2, 2, 6, 6]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("due", "looks"), [(PLAYS, 1), ((*PLAYS, "lazy"), 2)])
def test_real_images_are_judged_in_the_generators_move_only_for_who_is_due(due: tuple[str, ...], looks: int) -> None:
    class Reading(Counting):
        needs_real = True

    ours = game(regularizers={"lazy": Reading(1.0, every=2)})
    ours.move_generator(batch(), due)
    assert len(ours.networks["discriminator"].asked) == looks  # type: ignore[arg-type]


class Counting(Regularizer):
    player = "generator"

    def __call__(self, turn: Turn) -> Tensor:
        return turn.fake.square().mean()


def test_before_the_game_begins_a_generator_must_have_something_to_minimise() -> None:
    ours = game(regularizers={"own": Counting(1.0)}, adversarial_from=3)
    assert [ours.due(step) for step in (2, 3)] == [("own",), ("adversarial", "own")]
    for regularizers in ({"r1": R1(1.0)}, {"own": Counting(1.0, every=2)}, {}):
        with pytest.raises(ConfigError, match="until round 3 the generator has nothing to minimise"):
            game(regularizers=regularizers, adversarial_from=3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.generator_batch: 2 fakes .* set algorithm\.reuse_fake=false"):
        game(generator_batch=2, reuse_fake=True)
    for wrong in (0, True, 1.5):
        with pytest.raises(ConfigError, match=r"algorithm\.generator_batch: .* is not a whole number of at least 1"):
            game(generator_batch=wrong)
