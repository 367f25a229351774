"""The game of noise and images for generators that grow and have a style between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from gan_lab.algorithms.enlarged_sampler import EnlargedStyleSampler
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.growing import Growing
from gan_lab.algorithms.growth import Growth
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.style_based import require_styles
from gan_lab.config import build
from gan_lab.engine.engine import Engine
from gan_lab.sampling.sampler import Sampler


class GrowingStyles(Growing):
    """`Growing` (Karras et al. 2018, arXiv:1812.04948, appendix C), whose samples are truncated among styles: of the
    first `truncation_cutoff` layers, null: of all. Raises ConfigError for a generator without styles."""

    def __init__(
        self,
        game: Game,
        latent: Latent,
        stages: Growth,
        critic_steps: int = 1,
        reuse_fake: bool = False,
        generator_batch: int = 1,
        truncation_cutoff: int | None = None,
    ) -> None:
        super().__init__(game, latent, stages, critic_steps, reuse_fake, generator_batch)
        require_styles(self, truncation_cutoff)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        latent = build(settings["latent"], "algorithm.latent")
        return EnlargedStyleSampler(networks["generator"], latent, engine, cutoff=settings.get("truncation_cutoff"))
