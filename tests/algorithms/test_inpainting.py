"""Inpainting: which pairs there are of what was made on the way, and what the discriminator judges."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gan_lab.algorithms.inpainting import Inpainting
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.layers.hole import Drafts
from gan_lab.losses.distances import Distance
from gan_lab.losses.reconstruction import Reconstruction
from tests.algorithms.games import parts

SGD = partial(torch.optim.SGD, lr=0.5)
PLAYS = ("adversarial", "one")


class Drafting(nn.Module):
    """An image of sevens, drafts of threes and of twos; the last of the middle, and only there if asked."""

    def __init__(self, coarse: bool) -> None:
        super().__init__()
        self.factor, self.coarse = nn.Parameter(torch.tensor(1.0)), coarse

    def forward(self, input: Tensor, label: Tensor | None = None, drafts: bool = False) -> Tensor | Drafts:
        images = self.factor * torch.full_like(input[:, :1], 7.0)
        if not drafts:
            return images
        return Drafts(images, images[..., 1:3, 1:3] * 3 / 7, images * 2 / 7 if self.coarse else None)


class Recorder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))
        self.seen: list[tuple[float, Tensor | None]] = []

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        self.seen.append((float(images.detach().mean()), condition))
        return self.factor * images.mean((1, 2, 3))


class Noting(Distance):
    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        self.seen.append((made.detach().clone(), wanted))
        return made.mean()


def batch() -> Batch:
    rows = torch.arange(4.0).view(1, 1, 4, 1).expand(2, 1, 4, 4)
    return Batch(rows, input=torch.zeros(2, 2, 4, 4))


def played(pair: str, coarse: bool = True, pieces: int = 1, condition: str | None = "input") -> tuple[Noting, Recorder]:
    distance, discriminator = Noting(), Recorder()
    networks = {"generator": Drafting(coarse), "discriminator": discriminator}
    regularizers = {"one": Reconstruction(pair, distance, 1.0)}
    game = parts(networks, optimizer=SGD, regularizers=regularizers, accumulation=pieces)
    Inpainting(game, condition).train_step([batch()], PLAYS)
    return distance, discriminator


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize(("pair", "made"), [("target", 7.0), ("fine", 3.0), ("coarse", 2.0)])
def test_what_is_compared_with_what(pair: str, made: float, pieces: int) -> None:
    """A draft of the middle with the middle of the image, the others with all of it."""
    distance, _ = played(pair, pieces=pieces)
    assert len(distance.seen) == pieces
    wanted = batch().image[..., 1:3, 1:3] if pair == "fine" else batch().image
    for (one, other), expected in zip(distance.seen, wanted.chunk(pieces), strict=True):
        torch.testing.assert_close(one, torch.full_like(expected, made))
        assert torch.equal(other, expected)


@pytest.mark.parametrize("condition", ["input", None])
def test_the_discriminator_sees_images_and_never_drafts(condition: str | None) -> None:
    _, discriminator = played("coarse", condition=condition)
    assert {value for value, _ in discriminator.seen} <= {7.0, 1.5, (7.0 + 1.5) / 2}
    assert all((given is None) == (condition is None) for _, given in discriminator.seen)


def test_a_pair_that_the_generator_does_not_make() -> None:
    with pytest.raises(ConfigError, match=r"no pair 'coarse' \(it has: target, fine\)"):
        played("coarse", coarse=False)
