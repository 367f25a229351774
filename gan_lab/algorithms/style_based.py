"""The game of noise and images for generators that have a style between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.config import build, require_whole
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.sampler import Sampler


class StyleBased(NoiseToImage):
    """`NoiseToImage`, whose samples are truncated among styles: of the first `truncation_cutoff` layers, null: of all.

    The discriminator moves first, as in every game here; the authors' code begins with the generator. Raises
    ConfigError for a generator without `style` and `synthesise`.
    """

    def __init__(
        self,
        game: Game,
        latent: Latent,
        critic_steps: int = 1,
        reuse_fake: bool = False,
        generator_batch: int = 1,
        truncation_cutoff: int | None = None,
    ) -> None:
        super().__init__(game, latent, critic_steps, reuse_fake, generator_batch)
        require_styles(self, truncation_cutoff)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        latent = build(settings["latent"], "algorithm.latent")
        return StyleSampler(networks["generator"], latent, engine, cutoff=settings.get("truncation_cutoff"))


def require_styles(game: NoiseToImage, truncation_cutoff: int | None) -> None:
    """Raise ConfigError for a generator without styles, and for what is no number of layers."""
    if truncation_cutoff is not None:
        require_whole(truncation_cutoff, "algorithm.truncation_cutoff", 0)
    generator = game.networks["generator"]
    if not all(hasattr(generator, name) for name in ("style", "synthesise", "truncated")):
        raise ConfigError(
            f"algorithm: {type(game).__name__} needs a generator with styles, and {type(generator).__name__} has "
            "none (model=stylegan2); algorithm=noise_to_image takes any"
        )
