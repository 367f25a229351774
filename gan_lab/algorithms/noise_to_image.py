"""The game of Goodfellow et al. 2014 (arXiv:1406.2661, algorithm 1): noise becomes images, a discriminator judges them.

Which GAN it is, is said by the networks, the loss and its regularizers; this file only knows the order of moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.config import build, require_whole
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.sampling.sampler import Sampler


class NoiseToImage(Algorithm):
    """`critic_steps` moves of the discriminator, then one of the generator.

    `reuse_fake`: the generator moves on the last fakes that the discriminator saw, as the reference DCGAN does, which
    saves a forward pass; false draws fresh latents (the paper's algorithm 1). With `accumulation` > 1 latents are
    always fresh, since keeping every piece's graph would cost the memory that accumulation saves.
    """

    def __init__(self, game: Game, latent: Latent, critic_steps: int = 1, reuse_fake: bool = True) -> None:
        super().__init__(game)
        self.need("generator", "discriminator")
        self.latent = latent
        self.critic_steps = require_whole(critic_steps, "algorithm.critic_steps")
        self.reuse_fake = reuse_fake
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
        reused: Fake | None = None
        for index, batch in enumerate(batches if "adversarial" in due else ()):
            if self.reuse_fake and self.accumulation == 1 and index == len(batches) - 1:
                with self.engine.autocast():
                    reused = self.duel.fake(batch)
            metrics |= self.move_discriminator(batch, due, reused)
        metrics |= self.move_generator(batches[-1], due, reused)
        return metrics | self.figures()

    def move_discriminator(self, batch: Batch, due: Due, reused: Fake | None = None) -> Metrics:
        """On the images of `reused`, or on fresh ones."""

        def terms(piece: Batch) -> Terms:
            return self.duel.discriminator_terms(self.views(piece)[""], reused, due)

        return self.move("discriminator", batch, terms)

    def move_generator(self, batch: Batch, due: Due, reused: Fake | None = None) -> Metrics:
        """On the images of `reused`, or on fresh ones."""

        def terms(piece: Batch) -> Terms:
            return self.duel.generator_terms(self.views(piece)[""], reused or self.duel.fake(piece), due)

        return self.move("generator", batch, terms)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return NoiseSampler(networks["generator"], build(settings["latent"], "algorithm.latent"), engine)
