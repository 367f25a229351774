"""Noise and captions become images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from gan_lab.algorithms.base import Due, Metrics
from gan_lab.algorithms.caption_sampler import CaptionSampler
from gan_lab.algorithms.duel import Duel
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.matching_duel import MatchingDuel
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.config import build, require_number
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.sampler import Sampler


class TextToImage(NoiseToImage):
    """`NoiseToImage` whose networks are told captions; who wins is decided by a `MatchingDuel`.

    `mismatch_weight` is what a real image with another's caption counts for the discriminator beside a generated one,
    in [0, 1]; `interpolation` weighs what the generator pays for captions between two, 0: nothing. Raises ConfigError
    for networks that read no captions, and for relativistic losses together with `interpolation`: nothing real answers
    a caption between two.
    """

    data = "captions (dataset=captioned)"

    def __init__(
        self,
        game: Game,
        latent: Latent,
        critic_steps: int = 1,
        reuse_fake: bool = False,
        mismatch_weight: float = 0.5,
        interpolation: float = 0.0,
    ) -> None:
        self.mismatch_weight = require_number(mismatch_weight, "algorithm.mismatch_weight", 0)
        self.interpolation = require_number(interpolation, "algorithm.interpolation", 0)
        if self.mismatch_weight > 1:
            raise ConfigError(f"algorithm.mismatch_weight: {mismatch_weight!r} must be at most 1")
        super().__init__(game, latent, critic_steps, reuse_fake)
        for role in self.needs:
            if getattr(game.networks[role], "embed", None) is None:
                name = type(game.networks[role]).__name__
                raise ConfigError(
                    f"algorithm: TextToImage's networks read captions, and model.{role} ({name}) does not"
                )
        if self.interpolation and game.adversarial.needs_real:
            raise ConfigError(
                "algorithm.interpolation: a relativistic loss compares with real images, and captions between two have "
                "none; set algorithm.interpolation=0"
            )

    def make_duel(self) -> Duel:
        return MatchingDuel(self.game, self.noise, self.mismatch_weight, self.interpolation)

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        if batches[0].caption is None:
            raise ConfigError(f"dataset: has no captions; {self.requirements()}")
        return super().train_step(batches, due)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        latent, node = build(settings["latent"], "algorithm.latent"), settings.get("standing_statistics")
        standing = build(node, "algorithm.standing_statistics") if node else None
        return CaptionSampler(networks["generator"], latent, engine, standing)
