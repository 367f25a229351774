"""The game of Goodfellow et al. 2014 (arXiv:1406.2661, algorithm 1): noise becomes images, a discriminator judges them.

Which GAN it is, is said by the networks, the loss and its regularizers; this file only knows the order of moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.config import build, require_whole
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.sampling.sampler import Sampler

Fakes = Callable[[Batch], Fake]  # the generated images for a piece of a batch; asked once for each, in order


class NoiseToImage(Algorithm):
    """`critic_steps` moves of the discriminator, then one of the generator.

    `reuse_fake`: the generator moves on the last fakes that the discriminator saw, as the codes of DCGAN, LSGAN and the
    first GAN do, which saves a forward pass; false draws fresh latents (the paper's algorithm 1). With `accumulation`
    > 1 the latents are kept and the images made from them again, piece by piece: keeping every piece's graph would cost
    the memory that accumulation saves. (BatchNorm's running statistics, dropout and spectral norm then move once more.)

    `generator_batch`: the generator moves on so many fresh latents for each real image of a batch. Each real image, and
    its label, then stands in the generator's move so many times, side by side. Raises ConfigError where that is more
    than 1 and fakes are reused, which are one for each image.

    Fakes have the labels of the real images of their batch, as R3GAN's; the codes of SNGAN, SAGAN and BigGAN draw
    labels evenly. A stored run that does not say whether fakes are reused goes on as it began: they are.
    """

    needs: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    def __init__(
        self, game: Game, latent: Latent, critic_steps: int = 1, reuse_fake: bool = True, generator_batch: int = 1
    ) -> None:
        super().__init__(game)
        for role in game.networks:
            if role not in self.needs:
                raise ConfigError(
                    f"model.{role}: has no part in {type(self).__name__}; leave the algorithm to the model"
                )
        given = list(signature(type(game.networks["generator"]).forward).parameters)[1:2]
        if given == ["input"]:
            raise ConfigError(
                f"algorithm: {type(self).__name__} starts from latents, and this model's generator makes images from "
                "images; leave the algorithm to the model"
            )
        self.latent = latent
        self.critic_steps = require_whole(critic_steps, "algorithm.critic_steps")
        self.reuse_fake = reuse_fake
        self.generator_batch = require_whole(generator_batch, "algorithm.generator_batch")
        if reuse_fake and generator_batch > 1:
            raise ConfigError(
                f"algorithm.generator_batch: {generator_batch} fakes for each real image cannot be those that the "
                "discriminator saw; set algorithm.reuse_fake=false"
            )
        self.duel = self.add_duel(self.make_duel())

    def make_duel(self) -> Duel:
        """The one duel of this game."""
        return Duel(self.game, self.noise)

    def noise(self, batch: Batch, random: torch.Generator | None) -> Tensor:
        """A latent for every image of a batch."""
        return self.latent(len(batch.image), self.engine.device, random)

    @property
    def batches_per_round(self) -> int:
        return self.critic_steps

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        metrics: Metrics = {}
        *earlier, last = batches
        first: Fakes = self.duel.fake
        second = first
        if "adversarial" in due:
            for batch in earlier:
                metrics |= self.move_discriminator(batch, due)
            if self.reuse_fake:
                first, second = self.reused(last)
            metrics |= self.move_discriminator(last, due, first)
        metrics |= self.move_generator(last, due, second)
        return metrics | self.figures()

    def reused(self, batch: Batch) -> tuple[Fakes, Fakes]:
        """The same fakes for both players: one graph, or where the batch is cut, the same latents."""
        if self.accumulation == 1:
            with self.engine.autocast():
                fake = self.duel.fake(batch)
            return (lambda piece: fake), (lambda piece: fake)
        shares = self.noise(batch, None).chunk(self.accumulation)
        first, second = iter(shares), iter(shares)
        return (
            lambda piece: self.duel.make(next(first), piece),
            lambda piece: self.duel.make(next(second), piece),
        )

    def move_discriminator(self, batch: Batch, due: Due, fakes: Fakes | None = None) -> Metrics:
        """On what `fakes` has for each piece of the batch, or on fresh images."""
        make = fakes or self.duel.fake

        def terms(piece: Batch) -> Terms:
            piece = self.views(piece)[""]
            with torch.no_grad():
                fake = make(piece)
            return self.duel.discriminator_terms(piece, fake, due)

        return self.move("discriminator", batch, terms)

    def move_generator(self, batch: Batch, due: Due, fakes: Fakes | None = None) -> Metrics:
        """On what `fakes` has for each piece of the batch, or on fresh images."""
        make = fakes or self.duel.fake

        def terms(piece: Batch) -> Terms:
            piece = self.views(piece)[""]
            return self.duel.generator_terms(piece, make(piece), due)

        times, together = self.generator_batch, world()
        with together.rows(times * together.piece):
            return self.move("generator", batch.repeated(times), terms)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        latent, node = build(settings["latent"], "algorithm.latent"), settings.get("standing_statistics")
        standing = build(node, "algorithm.standing_statistics") if node else None
        return NoiseSampler(networks["generator"], latent, engine, standing)
