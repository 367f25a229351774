"""What is compared with what in CUT's round, and what is made for it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.contrastive import Contrastive
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.losses.distances import L1
from gan_lab.losses.patch_nce import PatchNCE, contrast
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.losses.regularizers import Regularizer, Turn
from tests.algorithms.games import parts
from tests.algorithms.stand_ins import Projecting

SGD = partial(torch.optim.SGD, lr=0.0)  # nothing moves, so that what was made can be made again


class Painter(nn.Module):
    """Images to images, all of whose pixels differ; its encoder looks at the image and at its left half."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.calls: list[tuple[str, int]] = []  # the method, and how many images it was given

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return self.weight * images + 0.1

    def translate(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        self.calls.append(("translate", len(images)))
        return self(images), self._see(images)

    def features(self, images: Tensor) -> list[Tensor]:
        self.calls.append(("features", len(images)))
        return self._see(images)

    def _see(self, images: Tensor) -> list[Tensor]:
        return [images * (2 + self.weight), images[..., :2]]


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.3))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return (self.weight * images).mean((1, 2, 3))


class Looking(Regularizer):
    """Keeps the turns of its player."""

    player = "generator"
    patches = True

    def __init__(self, pair: str = "") -> None:
        super().__init__(1.0)
        self.pair = pair
        self.turns: list[Turn] = []

    def __call__(self, turn: Turn) -> Tensor:
        self.turns.append(turn)
        return turn.fake.mean() * 0


def game(regularizers: dict[str, Regularizer], accumulation: int = 1, **settings: Any) -> Contrastive:
    torch.manual_seed(0)
    networks = {"generator": Painter(), "generator_projector": Projecting(), "discriminator": Plain()}
    more: Any = {"optimizer": SGD, "regularizers": regularizers, "accumulation": accumulation}
    return Contrastive(parts(networks, **more), **settings)


def batch(n: int = 4) -> Batch:
    return Batch(torch.rand(n, 1, 4, 4) - 1, input=torch.rand(n, 1, 4, 4))


def play(algorithm: Contrastive, data: Batch, due: tuple[str, ...] | None = None) -> Any:
    return algorithm.train_step([data], algorithm.all_due() if due is None else due)


def calls(algorithm: Contrastive) -> list[tuple[str, int]]:
    painter = algorithm.networks["generator"]
    assert isinstance(painter, Painter)
    return painter.calls


def test_patches_of_both_pairs_at_the_same_places() -> None:
    looking = Looking("identity")
    algorithm, data = game({"looking": looking}, patches=3), batch()
    play(algorithm, data)
    (turn,) = looking.turns
    painter, projector = algorithm.networks["generator"], algorithm.networks["generator_projector"]
    assert isinstance(painter, Painter)
    assert isinstance(projector, Projecting)
    (_, places), (_, again) = projector.asked
    assert all(map(torch.equal, places, again))
    assert [len(each.unique()) for each in places] == [3, 3]
    assert [int(each.max()) < count for each, count in zip(places, (16, 8), strict=True)] == [True, True]
    assert set(turn.patches) == set(turn.pairs) == {"source", "identity"}
    for name, given in (("source", data.input), ("identity", data.image)):
        made = painter(given)
        assert_close(turn.pairs[name][0], made)
        assert_close(turn.pairs[name][1], given)
        queries, keys = projector(painter._see(made), places), projector(painter._see(given), places)
        for (query, key), expected, wanted in zip(turn.patches[name], queries, keys, strict=True):
            assert_close(query, expected)
            assert_close(key, wanted)
            assert query.requires_grad
            assert not key.requires_grad
    assert_close(turn.fake, painter(data.input))


def test_every_place_where_there_are_fewer() -> None:
    looking = Looking()
    algorithm = game({"looking": looking}, patches=12)
    play(algorithm, batch())
    assert [query.shape[1] for query, _ in looking.turns[0].patches["source"]] == [12, 8]


def test_places_are_drawn_anew_and_are_no_images_of_the_batch() -> None:
    algorithm, maps = game({}), torch.zeros(2, 1, 4, 4)
    algorithm.patches = 8
    torch.manual_seed(0)
    first, second = algorithm.draw_places(maps), algorithm.draw_places(maps)
    assert not torch.equal(first, second)
    rows = []
    torch.rand(1)
    with world().rows(16):
        original = torch.rand
        try:
            torch.rand = lambda *a, **k: rows.append(world().piece) or original(*a, **k)  # type: ignore[assignment, func-returns-value]
            algorithm.draw_places(maps)
        finally:
            torch.rand = original
    assert rows == [0]


def test_images_are_made_once_and_identity_only_where_it_is_asked_for() -> None:
    algorithm = game({"nce": PatchNCE("source"), "same": PatchNCE("identity")})
    algorithm.regularizers["same"].every = 2
    for due, n in ((("adversarial", "nce", "same"), 8), (("adversarial", "nce"), 4), (("nce",), 4)):
        calls(algorithm).clear()
        play(algorithm, batch(), due)
        assert calls(algorithm) == [("translate", n), ("features", n)]
    algorithm = game({"same": Reconstruction("identity", L1(), 1.0)})
    play(algorithm, batch())
    assert calls(algorithm) == [("translate", 8)]  # nobody compares patches
    algorithm = game({"nce": PatchNCE("source")}, accumulation=2)
    play(algorithm, batch())
    assert calls(algorithm) == [("translate", 2)] * 2 + [("translate", 2), ("features", 2)] * 2


def test_a_distance_of_pixels_has_its_pair_too() -> None:
    algorithm, data = game({"identity": Reconstruction("identity", L1(), 1.0)}), batch()
    metrics = play(algorithm, data)
    assert_close(metrics["loss/generator/identity"], (0.5 * data.image + 0.1 - data.image).abs().mean().detach())


@pytest.mark.parametrize("share", [0.0, 1.0, 0.5])
def test_mirrored_images_are_held_to_what_was_seen_of_them_as_they_were(share: float) -> None:
    """FastCUT: what is made of the mirrored image is encoded, and mirrored back."""
    looking = Looking("identity")
    algorithm, data = game({"looking": looking}, patches=16, mirrored=share), batch(32)
    play(algorithm, data)
    (turn,), (painter, projector) = looking.turns, list(algorithm.networks.values())[:2]
    assert isinstance(painter, Painter)
    assert isinstance(projector, Projecting)
    assert turn.latent is not None
    mirrored = [not torch.equal(shown, given) for shown, given in zip(turn.latent, data.input, strict=True)]
    assert (sum(mirrored) in range(6, 27)) if share == 0.5 else (sum(mirrored) == 32 * share)
    _, places = projector.asked[0]
    flips = torch.tensor(mirrored).view(-1, 1, 1, 1)
    assert_close(turn.latent, torch.where(flips, data.input.flip(3), data.input))
    made = painter(turn.latent)
    assert_close(turn.fake, made)
    seen = [torch.where(flips, each.flip(3), each) for each in painter._see(made)]
    for (query, key), expected, wanted in zip(
        turn.patches["source"], projector(seen, places), projector(painter._see(data.input), places), strict=True
    ):
        assert_close(query, expected)
        assert_close(key, wanted)


def test_the_term_is_the_mean_over_maps() -> None:
    looking = Looking()
    algorithm = game({"nce": PatchNCE("source", weight=3.0), "looking": looking}, patches=5)
    metrics = play(algorithm, batch())
    expected = torch.stack([contrast(*each, 0.07) for each in looking.turns[0].patches["source"]]).mean()
    assert_close(metrics["loss/generator/nce"], 3 * expected.detach())


def test_the_discriminator_moves_first() -> None:
    algorithm, order = game({"nce": PatchNCE("source")}), []
    move = algorithm.move
    algorithm.move = lambda player, *rest: (order.append(player), move(player, *rest))[1]  # type: ignore[method-assign]
    play(algorithm, batch())
    assert order == ["discriminator", "generator"]


def test_it_says_where_nothing_ties_an_image_to_its_input(caplog: pytest.LogCaptureFixture) -> None:
    game({"nce": PatchNCE("source")})
    assert not caplog.messages
    game({})
    assert caplog.messages == [
        "loss.regularizers: none compares patches (patch_nce), so nothing ties an image to its input"
    ]


def test_refusals() -> None:
    for patches in (0, 2.5):
        with pytest.raises(ConfigError, match=r"^algorithm.patches: "):
            game({}, patches=patches)
    for mirrored in (-0.1, 1.5):
        with pytest.raises(ConfigError, match=r"^algorithm.mirrored: "):
            game({}, mirrored=mirrored)
    networks = {"generator": Plain(), "generator_projector": Projecting(), "discriminator": Plain()}
    with pytest.raises(ConfigError, match=r"^model.generator: Plain has no method 'translate'"):
        Contrastive(parts(networks))
    with pytest.raises(ConfigError, match=r"^model.generator_projector: missing"):
        Contrastive(parts({"generator": Painter(), "discriminator": Plain()}))
