"""A duel over images and what is said of them: a real image with the wrong words is no better than a generated one."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.algorithms.duel import Duel, Fake, Observe, Source
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.mismatched import mismatched
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.engine.engine import Terms
from gan_lab.losses.regularizers import Pairs, Patches


class MatchingDuel(Duel):
    """The matching-aware discriminator and interpolated captions (Reed et al. 2016, arXiv:1605.05396, algorithm 1 and
    equation 5).

    Of a loss L(real, other) the discriminator minimises (1 - c) L(real, fake) + c L(real, wrong), c =
    `mismatch_weight`, where `wrong` are the scores of real images with another image's caption. Of losses that are a
    sum of two parts that is the paper's: the real part once, the two others weighted. An image whose caption all others
    share counts as generated twice.

    With `interpolation` > 0 the generator also pays, times that, for images of captions between two: the mean of the
    embeddings of neighbours in the batch, as each network has them, one image for each two samples. The discriminator
    never learns from those.
    """

    def __init__(self, game: Game, source: Source, mismatch_weight: float = 0.5, interpolation: float = 0.0) -> None:
        super().__init__(game, source, condition="caption", generator_condition="caption")
        self.mismatch_weight = mismatch_weight
        self.interpolation = interpolation

    def _judged(self, batch: Batch, fake: Fake, due: tuple[str, ...], observe: Observe) -> Terms:
        real, generated = self.critiques(batch.image, fake.image, batch.caption)
        wrong = self.mismatched_scores(batch, generated.scores)
        observe(real.scores.detach(), generated.scores.detach())
        turn = self.turn(self.discriminator, batch, fake, real, generated)
        loss, weight = self.game.adversarial.discriminator, self.mismatch_weight
        terms = {
            "adversarial": (1 - weight) * loss(real.scores, generated.scores),
            "mismatched": weight * loss(real.scores, wrong),
        }
        return self._named({**terms, **self.penalties("discriminator", due, turn)})

    def mismatched_scores(self, batch: Batch, fake_scores: Tensor) -> Tensor:
        """Of the images with captions that are not theirs; the fake ones' where there is no other caption."""
        assert batch.caption is not None
        captions, there = mismatched(batch.caption)
        scores = self.critique(batch.image, captions).scores
        return torch.where(there.view(-1, *[1] * (scores.dim() - 1)), scores, fake_scores)

    def generator_terms(
        self,
        batch: Batch,
        fake: Fake,
        due: tuple[str, ...],
        pairs: Pairs | None = None,
        patches: Patches | None = None,
    ) -> Terms:
        terms = super().generator_terms(batch, fake, due, pairs, patches)
        if not self.interpolation or "adversarial" not in due or len(batch.image) < 2:
            return terms
        return {**terms, **self._named({"interpolated": self.interpolation * self.interpolated(batch)})}

    def interpolated(self, batch: Batch) -> Tensor:
        """The generator's loss on images of captions between two."""
        assert batch.caption is not None
        half = len(batch.image) // 2
        between = [
            network.embed(batch.caption[: 2 * half]).float().view(half, 2, -1).mean(1)  # type: ignore[operator]
            for network in (self.generator, self.discriminator)
        ]
        with world().rows(half):
            source = self.source(batch.part(slice(0, half)), None)
            critique = self.critique(self.generator(source, between[0]).float(), between[1])
        return self.game.adversarial.generator(critique.scores, None)
