"""A game on every level of a Laplacian pyramid (LAPGAN, Denton et al. 2015, arXiv:1506.05751): a small image out of
noise, then what is missing of the next larger one, and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Source
from gan_lab.algorithms.game import Game, kind_of
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.layers.laplacian import enlarged, pyramid
from gan_lab.layers.latent_weights import placed
from gan_lab.sampling.sampler import Sampler


class Pyramid(Algorithm):
    """A duel on every level, of `generator_0` and `discriminator_0` on the coarsest (the paper counts from the finest),
    each on real images of its level: no level ever sees what another's generator made, so their order is free
    (section 2.3 of the paper). In a round all discriminators move, then all generators, on fresh noise.

    What a generator starts from is noise of as many numbers as its `latent_dim` says, of `latent`'s prior, and on a
    level that is not the coarsest the enlarged image of the next coarser one before it, both as channels
    `(N, C + 1, H, W)`. `shares` says for each level in which share of the rounds it moves (`[1, 0.5, 0.5]`: the finer
    ones in every other); the largest must be 1, null is 1 for all. Regularizers that are lazy count the game's rounds.

    Deviations: fakes of a discriminator's move are made from the coarser images of the same batch as its real ones; the
    authors' code takes another batch. Losses are the mean over real images plus that over fakes, twice the mean over
    both. Raises ConfigError for networks that are not those of a pyramid, and for `shares` that are none.
    """

    def __init__(self, game: Game, latent: Latent, shares: Sequence[float] | None = None) -> None:
        super().__init__(game)
        self.levels = max(sum(kind_of(role) == "generator" for role in self.networks), 1)
        roles = [(f"generator_{level}", f"discriminator_{level}") for level in range(self.levels)]
        self.need(*(role for pair in roles for role in pair))
        self._check_halvings(roles)
        self.latent = latent
        self.shares = _shares(shares, self.levels)
        for level, names in enumerate(roles):
            self.add_duel(Duel(game, self.source(names[0]), *names, suffix=str(level)))

    def _check_halvings(self, roles: Sequence[Sequence[str]]) -> None:
        for level, role in ((level, role) for level, pair in enumerate(roles) for role in pair):
            wanted = self.levels - 1 - level
            if (said := getattr(self.networks[role], "halvings", wanted)) != wanted:
                raise ConfigError(
                    f"model.{role}.halvings: {said}; of {self.levels} levels, 0 the coarsest, the images of level "
                    f"{level} are halved {wanted} times"
                )

    def source(self, role: str) -> Source:
        """What a level's generator starts from, for a batch of that level."""
        prior = self.latent.of_dim(noise_size(role, self.networks[role]))

        def draw(batch: Batch, random: torch.Generator | None) -> Tensor:
            return beside(batch.input, prior(len(batch.image), self.engine.device, random))

        return draw

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        levels = pyramid(batch.image, self.levels)
        return {str(number): Batch(level.image, batch.label, level.blurred) for number, level in enumerate(levels)}

    def due(self, step: int) -> Due:
        """And the levels whose turn it is."""
        return (*super().due(step), *(name for name, share in self.shares.items() if _moves(share, step)))

    def all_due(self) -> Due:
        return (*super().all_due(), *self.shares)

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        metrics: Metrics = {}
        if "adversarial" in due:
            metrics |= self.move("discriminator", batches[0], self.of_levels(self.judged, due))
        return metrics | self.move("generator", batches[0], self.of_levels(self.made, due)) | self.figures()

    def of_levels(self, terms: Callable[[Duel, Batch, Due], Terms], due: Due) -> Callable[[Batch], Terms]:
        """The terms of all levels that move in this round, for a piece of a batch."""

        def of_each(piece: Batch) -> Terms:
            moving = {suffix: view for suffix, view in self.views(piece).items() if f"level_{suffix}" in due}
            return {
                name: term
                for suffix, view in moving.items()
                for name, term in terms(self.duels[suffix], view, due).items()
            }

        return of_each

    def judged(self, duel: Duel, batch: Batch, due: Due) -> Terms:
        """What a level's discriminator pays."""
        return duel.discriminator_terms(batch, None, due)

    def made(self, duel: Duel, batch: Batch, due: Due) -> Terms:
        """What a level's generator pays."""
        return duel.generator_terms(batch, duel.fake(batch), due)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        generators = [networks[f"generator_{level}"] for level in range(len(networks))]
        whole = CoarseToFine(generators)
        latent: Latent = build(settings["latent"], "algorithm.latent")
        return NoiseSampler(whole, latent.of_dim(sum(whole.chunks)), engine)


class CoarseToFine(nn.Module):
    """The generators of a pyramid, the coarsest first, as one: Ĩ_K = G_K(z_K), Ĩ_k = u(Ĩ_{k+1}) + G_k(z_k, u(Ĩ_{k+1}))
    (section 2.3 of the paper). A latent is the noise of all levels, side by side: `chunks` numbers of each."""

    def __init__(self, generators: Sequence[nn.Module]) -> None:
        super().__init__()
        self.generators = nn.ModuleList(generators)
        self.chunks = [noise_size(f"generator_{level}", each) for level, each in enumerate(generators)]
        self.num_classes = int(getattr(generators[0], "num_classes", 0) or 0)
        self.attributes = getattr(generators[0], "attributes", None)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`: of the coarsest level. Others have pictures of noise, and no rows."""
        (coarse,) = self.generators[0].latent_weights()  # type: ignore[operator]
        whole = placed(coarse, 0, sum(self.chunks))
        return [whole, *(whole[:0] for _ in self.chunks[1:])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor | None = None
        for generator, noise in zip(self.generators, latent.split(self.chunks, 1), strict=True):
            images = generator(beside(None if images is None else enlarged(images), noise), label)
        assert images is not None
        return images


def beside(blurred: Tensor | None, noise: Tensor) -> Tensor:
    """Noise (N, D) as it is, or as one more channel of images (N, C, H, W) of as many pixels."""
    return noise if blurred is None else torch.cat((blurred, noise.view(-1, 1, *blurred.shape[2:])), 1)


def noise_size(role: str, generator: nn.Module) -> int:
    """How many numbers a generator starts from. Raises ConfigError for one that does not say."""
    size = getattr(generator, "latent_dim", None)
    if not isinstance(size, int):
        raise ConfigError(
            f"model.{role}: {type(generator).__name__} does not say by `latent_dim` how much noise it needs"
        )
    return size


def _shares(shares: Sequence[float] | None, levels: int) -> dict[str, Fraction]:
    """By the name that a level has among what is due."""
    given = [1.0] * levels if shares is None else list(shares)
    if len(given) != levels or not all(isinstance(s, (int, float)) and 0 < s <= 1 for s in given) or max(given) < 1:
        raise ConfigError(
            f"algorithm.shares: {given} is not a share in (0, 1] of the rounds for each of {levels} levels, of which "
            "the largest is 1, e.g. [" + ", ".join(["1.0", *["0.5"] * (levels - 1)]) + "]"
        )
    return {f"level_{level}": Fraction(share).limit_denominator(1000) for level, share in enumerate(given)}


def _moves(share: Fraction, step: int) -> bool:
    """Whether the round after `step` rounds is one of a share of all rounds, which lie as evenly as they can, the first
    being one of them: where ceil(share t) grows."""
    return -(-(step + 1) * share.numerator // share.denominator) > -(-step * share.numerator // share.denominator)
