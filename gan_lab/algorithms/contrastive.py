"""An image from an image of another kind, without pairs and without a way back (CUT, Park et al. 2020,
arXiv:2007.15651)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.translation import UNPAIRED, input_of
from gan_lab.config import require_number, require_whole
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Pairs, Patches
from gan_lab.sampling.sampler import Sampler

log = logging.getLogger(__name__)


class Translated(NamedTuple):
    """Images `given` to the generator, as they were and as it was given them, what it `made` of them, and what its
    encoder saw of the latter on the way. Those of the wanted side stand behind the inputs, where they were asked for.
    `mirrored` says which were given mirrored; None where none may be."""

    given: Tensor
    shown: Tensor
    made: Tensor
    maps: list[Tensor]
    mirrored: Tensor | None


class Contrastive(Algorithm):
    """The discriminator moves, then the generator and its projector on the same images.

    What ties an image to its input are patches: the generator's encoder looks at both, at `patches` places drawn anew
    in each of its maps (all, where there are fewer), and the projector makes points of what it sees. Pairs: `source`, a
    generated image and its input; `identity`, an image of the wanted side translated and itself, which is made only
    where a regularizer of this round asks for it. `mirrored` is the share of images that the generator is given
    mirrored, while its encoder is held to what it sees of them as they were: FastCUT's flip-equivariance, 0.5.

    The projector is a network of the generator's kind, so one optimizer moves both. The authors give each an Adam, of
    equal rates, and Adam takes every weight for itself: it is the same step. Deviation: there all images of a batch are
    mirrored or none; the batch is of one image.
    """

    pairs = ("source", "identity")
    needs = ("generator", "generator_projector", "discriminator")
    data = UNPAIRED

    def __init__(self, game: Game, patches: int = 256, mirrored: float = 0.0) -> None:
        super().__init__(game)
        self.generator, self.projector = self.networks["generator"], self.networks["generator_projector"]
        for method in ("translate", "features"):
            if not callable(getattr(self.generator, method, None)):
                raise ConfigError(
                    f"model.generator: {type(self.generator).__name__} has no method {method!r}; Contrastive asks what "
                    "its encoder sees (gan_lab.models.cut.Generator)"
                )
        self.patches = require_whole(patches, "algorithm.patches")
        self.mirrored = require_number(mirrored, "algorithm.mirrored", 0.0)
        if self.mirrored > 1:
            raise ConfigError(f"algorithm.mirrored: {mirrored} is not a share; a number from 0 to 1")
        if not any(regularizer.patches for regularizer in self.regularizers.values()):
            log.warning("loss.regularizers: none compares patches (patch_nce), so nothing ties an image to its input")
        self.duel = self.add_duel(Duel(game, input_of, condition=None, generator_condition=None))

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        batch = batches[0]
        once: Translated | None = None
        if self.accumulation == 1:
            with self.engine.autocast():
                once = self.translated(batch, due)

        def judged(piece: Batch) -> Terms:
            with torch.no_grad():
                translated = once or self.translated(piece, due)
            return self.duel.discriminator_terms(piece, self.fake(piece, translated), due)

        def made(piece: Batch) -> Terms:
            translated = once or self.translated(piece, due)
            pairs, patches = self.compared(piece, translated, due)
            return self.duel.generator_terms(piece, self.fake(piece, translated), due, pairs, patches)

        moved = self.move("discriminator", batch, judged) if "adversarial" in due else {}
        return moved | self.move("generator", batch, made) | self.figures()

    def translated(self, batch: Batch, due: Due) -> Translated:
        """Inputs, and where anybody asks for them the images of the wanted side, in one pass."""
        asked = any(self.regularizers[name].pair == "identity" for name in due if name in self.regularizers)
        given = torch.cat((input_of(batch), batch.image)) if asked else input_of(batch)
        shown, mirrored = given, None
        if self.mirrored:
            mirrored = torch.rand(len(given), 1, 1, 1, device=given.device) < self.mirrored
            shown = torch.where(mirrored, given.flip(3), given)
        made, maps = self.generator.translate(shown)  # type: ignore[operator]
        return Translated(given, shown, made.float(), maps, mirrored)

    def fake(self, batch: Batch, translated: Translated) -> Fake:
        """What was made of the inputs."""
        n = len(batch.image)
        return Fake(translated.made[:n], translated.shown[:n])

    def compared(self, batch: Batch, translated: Translated, due: Due) -> tuple[Pairs, Patches]:
        """What was made and what was given, and where a regularizer of this round compares patches, what encoder and
        projector see of both at the same places."""
        n, made = len(batch.image), translated.made
        parts = {"source": slice(0, n), "identity": slice(n, None)}
        there = list(parts.items())[: len(made) // n]
        pairs = {name: (made[part], translated.shown[part]) for name, part in there}
        if not any(self.regularizers[name].patches for name in due if name in self.regularizers):
            return pairs, {}
        found, wanted = self.projected(translated)
        patches = {name: [(q[part], k[part]) for q, k in zip(found, wanted, strict=True)] for name, part in there}
        return pairs, patches

    def projected(self, translated: Translated) -> tuple[list[Tensor], list[Tensor]]:
        """What is seen of images that were made, and of those that were given: points `(N, P, D)` for each map."""
        given, _, made, maps, mirrored = translated
        seen: list[Tensor] = self.generator.features(made)  # type: ignore[operator]
        if mirrored is not None:
            seen = [torch.where(mirrored, each.flip(3), each) for each in seen]
        with torch.no_grad():
            before = maps if mirrored is None else self.generator.features(given)  # type: ignore[operator]
            places = [self.draw_places(each) for each in before]
            wanted = self.projector([each.detach() for each in before], places)
        return self.projector(seen, places), wanted

    def draw_places(self, maps: Tensor) -> Tensor:
        """Places `(P,)` of maps `(N, C, H, W)`, numbered row by row: the same for all images of a batch."""
        count = maps.shape[2] * maps.shape[3]
        with world().rows(0):  # what is drawn is for all
            return torch.rand(count, device=maps.device).topk(min(self.patches, count)).indices

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return OneWay(networks["generator"], engine)


class OneWay(InputSampler):
    """Translates from a to b."""

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """a, what was made of it, and what the data has of b: the target, where they are pairs."""
        columns = super().panel(shown, seed)
        return dict(zip(("a", "ab", "b"), columns.values(), strict=True))
