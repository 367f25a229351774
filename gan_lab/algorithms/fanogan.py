"""A GAN, and then an encoder into its latents, while generator and discriminator stand still (f-AnoGAN)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from torch import Tensor, nn

from gan_lab.algorithms.base import Due, Metrics
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.config import require_number, require_whole
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import of
from gan_lab.sampling.detecting import Detecting
from gan_lab.sampling.detector import Detector
from gan_lab.sampling.sampler import Sampler

ENCODER = "encoder"


class FAnoGAN(NoiseToImage):
    """Schlegl et al. 2019 (Medical Image Analysis 54, izi_f): `encoder_from` rounds of a game from noise, then the
    encoder alone minimises mean (x - G(E(x)))^2 + `feature_weight` * mean (f(x) - f(G(E(x))))^2, once on each batch of
    a round, f being the discriminator's features (the paper calls that weight k; it is 1). By the same sum a picture is
    scored. Generator and discriminator are in evaluation mode then, as they are when pictures are scored. One run, one
    checkpoint.

    The encoder learns the generator itself, so models for it have no average (`algorithm.ema.decay=0`). Raises
    ConfigError for a discriminator without features, in the first round of the encoder.
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator", "discriminator", "encoder")
    needs = ("generator", "discriminator", "encoder")

    def __init__(self, game: Game, encoder_from: int, feature_weight: float = 1.0, **settings: Any) -> None:
        super().__init__(game, **settings)
        self.encoder_from = require_whole(encoder_from, "algorithm.encoder_from")
        self.feature_weight = require_number(feature_weight, "algorithm.feature_weight", 0)

    def due(self, step: int) -> Due:
        found = super().due(step)
        if step < self.encoder_from:
            return found
        of_encoder = (name for name, each in self.regularizers.items() if each.player == ENCODER and name in found)
        return (ENCODER, *of_encoder)

    def all_due(self) -> Due:
        return (*super().all_due(), ENCODER)

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        moved: Metrics = super().train_step(batches, due) if due[0] != ENCODER else {}
        if ENCODER in due:
            for batch in batches:
                moved |= self.move(ENCODER, batch, self.encoder_terms)
        return moved

    def encoder_terms(self, batch: Batch) -> Terms:
        """How far pictures are from what is made of their codes, in pixels and in features."""
        with in_evaluation(self.networks["generator"], self.networks["discriminator"]):
            pixels, features, _ = distances(self.networks, batch.image)
        return {"pixels": pixels.mean(), "features": self.feature_weight * features.mean()}

    def shortfall(self, images: int, rounds: int) -> str | None:
        if rounds > self.encoder_from:
            return None
        return (
            f"algorithm.encoder_from: this run ends after {rounds} rounds, and its encoder begins to learn after "
            f"{self.encoder_from}; more trainer.max_steps, or a smaller algorithm.encoder_from"
        )

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        made = super().sampler(networks, settings, engine)
        return Detecting(made, ResidualDetector(networks, engine, settings["feature_weight"]))


def distances(networks: Mapping[str, nn.Module], images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each picture mean (x - G(E(x)))^2 and mean (f(x) - f(G(E(x))))^2, `(N,)`, and G(E(x))."""
    made = networks["generator"](networks["encoder"](images)).float()
    wanted, found = (of(networks["discriminator"](each)).in_fp32().features for each in (images, made))
    if wanted is None or found is None:
        raise ConfigError(
            "model.discriminator: f-AnoGAN compares its features: let its forward return "
            "gan_lab.layers.critique.Critique(scores, features)"
        )
    pixels, features = ((a - b).square().flatten(1).mean(1) for a, b in ((images, made), (wanted, found)))
    return pixels, features, made


@contextmanager
def in_evaluation(*networks: nn.Module) -> Iterator[None]:
    """These networks are in evaluation mode in here."""
    before = [network.training for network in networks]
    try:
        for network in networks:
            network.eval()
        yield
    finally:
        for network, training in zip(networks, before, strict=True):
            network.train(training)


class ResidualDetector(Detector):
    """What the encoder minimises (see `FAnoGAN`), of each picture."""

    def __init__(self, networks: Mapping[str, nn.Module], engine: Engine, feature_weight: float) -> None:
        super().__init__(networks, engine)
        self.feature_weight = feature_weight

    def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels, features, made = distances(self.networks, images)
        return pixels + self.feature_weight * features, made
