"""The game of noise and images with networks that grow (Karras et al. 2017, arXiv:1710.10196, section 2)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import chain
from typing import Any

from torch import nn

from gan_lab.algorithms.enlarged_sampler import EnlargedSampler
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.growth import Grown, Growth
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.stage import Stage
from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.layers.in_stages import InStages
from gan_lab.sampling.sampler import Sampler

log = logging.getLogger(__name__)


class Growing(NoiseToImage):
    """`NoiseToImage`, from small images to large ones as `stages` says: both networks, the average and the real images
    are always of one size, and a new one fades in on all sides.

    Where a fade begins, and where it ends, optimizers forget their moments, as in the authors' code; averages go on.
    What has been reached is a function of the images shown. Only whether a stage is new is read from the networks,
    whose state tells in which they were: a run that goes on in the middle of one forgets nothing.

    Raises ConfigError for networks that do not grow, and for limits of the batch that pieces and processes do not
    divide.
    """

    def __init__(
        self,
        game: Game,
        latent: Latent,
        stages: Growth,
        critic_steps: int = 1,
        reuse_fake: bool = False,
        generator_batch: int = 1,
    ) -> None:
        super().__init__(game, latent, critic_steps, reuse_fake, generator_batch)
        self.stages = stages
        for role, network in self.networks.items():
            if not growing_parts(network):
                raise ConfigError(
                    f"algorithm: {type(self).__name__} needs networks that grow, and model.{role} "
                    f"({type(network).__name__}) does not (model=progressive); algorithm=noise_to_image takes any"
                )
        everybody = chain(self.networks.values(), (average.module for average in self.averages.values()))
        self.parts = [part for network in everybody for part in growing_parts(network)]
        self.judge = growing_parts(self.networks["discriminator"])[0]
        self.first, self.levels = self.judge.first, self.judge.first.blocks
        for level in range(self.levels + 1):
            self._check_limit(stages.batch_limit(self.side(level)))

    def _check_limit(self, limit: int | None) -> None:
        shares = self.accumulation * self.engine.world.size
        if limit is not None and limit % shares:
            raise ConfigError(
                f"algorithm.stages.batch_limits: {limit} images are not {shares} equal shares (trainer.accumulation="
                f"{self.accumulation}, {self.engine.world.size} processes)"
            )

    def side(self, level: int) -> int:
        """The pixels of the longer side of an image after so many doublings."""
        return max(self.first.height, self.first.width) << level

    def words(self, level: int) -> str:
        """That size in words."""
        return f"{self.first.height << level}x{self.first.width << level}"

    def grown(self, images: int) -> Grown:
        """How far networks have grown after so many images."""
        return self.stages.at(images, self.levels)

    def stage(self, images: int) -> Stage:
        level, fading = self.grown(images).level, self.grown(images).fading
        return Stage(self.stages.batch_limit(self.side(level)), self.first.height << level, fading)

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        assert stage.image_size is not None
        level = (stage.image_size // self.first.height).bit_length() - 1
        if all((part.level, part.fading) == (level, stage.fading) for part in self.parts):
            return
        log.info("growing    to %s pixels%s", self.words(level), ", fading in" if stage.fading else "")
        for part in self.parts:
            part.grow(level, stage.fading)
        for optimizer in self.optimizers.values():
            optimizer.state.clear()

    def advance(self, images: int) -> None:
        for part in self.parts:
            part.share.fill_(self.grown(images).share)

    def rate_factor(self, step: int, images: int) -> float:
        return super().rate_factor(step, images) * self.stages.rate(self.side(self.grown(images).level))

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        return {"": batch._replace(image=self.judge.view(batch.image))}

    def shortfall(self, images: int, rounds: int) -> str | None:
        needed, reached = self.stages.images(self.levels), self.grown(images)
        if images >= needed:
            return None
        return (
            f"algorithm.stages: this run ends at {self.words(reached.level)} of {self.words(self.levels)} pixels: it "
            f"shows at most {images:,} images, and to grow takes {needed:,}; more trainer.max_steps, or less "
            "algorithm.stages.stable_images and fade_images"
        )

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return EnlargedSampler(networks["generator"], build(settings["latent"], "algorithm.latent"), engine)


def growing_parts(network: nn.Module) -> list[InStages]:
    """The parts of a network that grow, it itself among them."""
    return [part for part in network.modules() if isinstance(part, InStages)]
