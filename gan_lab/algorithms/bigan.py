"""Images from noise, and noise from images, in one game (BiGAN), and how it detects what is unlike the data (EGBAD)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lab.algorithms.duel import Duel, Fake, Observe, Source
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.config import require_number
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import of
from gan_lab.losses.regularizers import Pairs, Patches, Turn
from gan_lab.sampling.detecting import Detecting
from gan_lab.sampling.detector import Detector
from gan_lab.sampling.sampler import Sampler


class BiGAN(NoiseToImage):
    """Donahue et al. 2016 (arXiv:1605.09782): the discriminator tells (x, E(x)) from (G(z), z). Encoder and generator
    move together against it; the encoder is a network of the generator's kind, so one optimizer moves both.

    The generator pays what the loss says of the scores of (G(z), z); the encoder the same of those of (x, E(x)) with
    their sign turned, so that it is paid for images that are taken for generated ones. For cross-entropy, hinge and
    Wasserstein that is the paper's game (least squares draw those scores to -1, not 0). Penalties on the slope of the
    discriminator see images alone, beside the latents that real images have.

    `alpha` weighs the two parts of a picture's score (see `EnergyDetector`).
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    needs = ("generator", "generator_encoder", "discriminator")

    def __init__(self, game: Game, alpha: float = 0.9, **settings: Any) -> None:
        if not 0 <= require_number(alpha, "algorithm.alpha") <= 1:
            raise ConfigError(f"algorithm.alpha: {alpha} is not a share; a number from 0 to 1")
        super().__init__(game, **settings)

    def make_duel(self) -> Duel:
        return JointDuel(self.game, self.noise, self.networks["generator_encoder"])

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        made = super().sampler(networks, settings, engine)
        return Detecting(made, EnergyDetector(networks, engine, settings["alpha"]))


class JointDuel(Duel):
    """A discriminator that judges images beside their latents."""

    def __init__(self, game: Game, source: Source, encoder: nn.Module) -> None:
        super().__init__(game, source, condition=None, generator_condition=None)
        self.encoder = encoder

    def _judged(self, batch: Batch, fake: Fake, due: tuple[str, ...], observe: Observe) -> Terms:
        with torch.no_grad():
            code = self.encoder(batch.image).float()
        real, made = self.critique(batch.image, code), self.critique(fake.image, fake.source)
        observe(real.scores.detach(), made.scores.detach())
        adversarial = self.game.adversarial.discriminator(real.scores, made.scores)
        turn = beside(self.turn(self.discriminator, batch, fake, real, made), code)
        return {"adversarial": adversarial, **self.penalties("discriminator", due, turn)}

    def generator_terms(
        self,
        batch: Batch,
        fake: Fake,
        due: tuple[str, ...],
        pairs: Pairs | None = None,
        patches: Patches | None = None,
    ) -> Terms:
        """What generator and encoder minimise."""
        terms: Terms = {}
        code = self.encoder(batch.image).float()
        real, made = self.critique(batch.image, code), self.critique(fake.image, fake.source)
        if "adversarial" in due:
            loss = self.game.adversarial
            terms["adversarial"] = loss.generator(made.scores, real.scores)
            terms["encoder"] = loss.generator(-real.scores, -made.scores)
        turn = beside(self.turn(self.generator, batch, fake, real, made, pairs, patches), code)
        return {**terms, **self.penalties("generator", due, turn)}


def beside(turn: Turn, code: Tensor) -> Turn:
    """A turn whose critic judges images beside these latents, unless it is told others."""
    critic = turn.critic
    return replace(turn, condition=code, critic=lambda images, condition=code: critic(images, condition))


class EnergyDetector(Detector):
    """alpha |x - G(E(x))|_1 + (1 - alpha) |f(x, E(x)) - f(G(E(x)), E(x))|_1, f being the discriminator's features
    (arXiv:1802.06222, section 2.3, with feature matching; alpha is 0.9 there). Sums over pixels and features, as there.
    """

    def __init__(self, networks: Mapping[str, nn.Module], engine: Engine, alpha: float) -> None:
        super().__init__(networks, engine)
        self.alpha = alpha

    def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code = self.networks["generator_encoder"](images)
        made = self.networks["generator"](code)
        wanted, found = (of(self.networks["discriminator"](each, code)).features for each in (images, made))
        assert wanted is not None
        assert found is not None
        pixels, features = ((a - b).abs().flatten(1).sum(1) for a, b in ((images, made), (wanted, found)))
        return self.alpha * pixels + (1 - self.alpha) * features, made
