"""Images that are made again, by a game in which what is unlike the data shows in their codes (GANomaly)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.translation import Translation, input_of
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Pairs
from gan_lab.sampling.detector import Detector
from gan_lab.sampling.sampler import Sampler


class Ganomaly(Translation):
    """Akcay et al. 2018 (arXiv:1805.06725): the generator G = decoder(E1(x)) makes images again, and a second encoder
    E2 is to find the code that they were made from. Pairs are `target`, G(x) and x, and `latent`, E2(G(x)) and E1(x),
    both with gradients, as in the authors' code. The second encoder is a network of the generator's kind, so one
    optimizer moves both.

    Deviations: the discriminator moves first, by images of the same generator; and where its loss falls below 1e-5 it
    is not begun anew, as in the authors' code: that would ask the device for a number in every round.
    """

    pairs: ClassVar[tuple[str, ...]] = ("target", "latent")
    needs = ("generator", "generator_encoder", "discriminator")
    data = "inputs that are the images themselves (degradation=identity)"

    def __init__(self, game: Game) -> None:
        super().__init__(game, condition=None)
        self.need(*self.needs)
        if not isinstance(getattr(self.networks["generator"], "encoder", None), nn.Module):
            raise ConfigError(
                f"model.generator: {type(self.networks['generator']).__name__} has no encoder; Ganomaly asks for the "
                "codes that images are made from (gan_lab.models.ganomaly.Generator)"
            )
        self.duel = self.add_duel(CodingDuel(game, input_of, condition=None))

    def compared(self, batch: Batch, fake: Fake) -> Pairs:
        again = self.networks["generator_encoder"](fake.image).float()
        return {"target": (fake.image, batch.image), "latent": (again, fake.drafts[0])}

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return Autoencoder(networks, engine)


class CodingDuel(Duel):
    """Keeps the code of every image that is made again."""

    def make(self, source: Tensor, batch: Batch) -> Fake:
        code = self.generator.encoder(source)  # type: ignore[operator]
        return Fake(self.generator(source, code=code).float(), source, drafts=(code.float(),))


class CodeDetector(Detector):
    """The mean of |E1(x) - E2(G(x))| (equation 5; the authors' code has squares). It has no fixed scale: it is compared
    with scores of held-out normal images, and never with the others that are tested."""

    def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        generator = self.networks["generator"]
        code = generator.encoder(images)  # type: ignore[operator]
        made = generator(images, code=code)
        again = self.networks["generator_encoder"](made)
        return (code - again).abs().mean(1), made


class Autoencoder(InputSampler):
    """Makes images again."""

    detector: Detector

    def __init__(self, networks: Mapping[str, nn.Module], engine: Engine) -> None:
        super().__init__(networks["generator"], engine)
        self.detector = CodeDetector(networks, engine)

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        return self.detector.panel(input_of(shown))
