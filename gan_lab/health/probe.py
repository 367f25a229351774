"""A look at a run through a few images and latents, the same ones every time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_lab.algorithms.duel import Duel, Fake, column
from gan_lab.data.batch import Batch
from gan_lab.engine.seeding import seed_round
from gan_lab.health.activations import DeadUnits
from gan_lab.health.answers import compare
from gan_lab.health.checkerboard import SMALLEST, amplitude
from gan_lab.health.movement import Movement
from gan_lab.health.signals import Signals
from gan_lab.health.variety import LEAST, distance, spread
from gan_lab.losses.adversarial import AdversarialLoss
from gan_lab.sampling.sampler import Sampler, all_images
from gan_lab.training.without_trace import without_trace

if TYPE_CHECKING:
    from gan_lab.training.run import Run

SATURATED = 0.99  # of a Tanh: 2% of its slope is left there


class Probe:
    """Looks through `count` real images, spread over the store, and as many latents, which the run's seed decides.

    Both players are asked as they play: in the modes, precision and augmentation of a round, real and generated images
    in passes of their own, because the statistics that evaluation mode has are not those that either learns by. Of a
    game that has several duels the first is looked at; of one without, only gradients and weights.
    """

    def __init__(self, run: Run, count: int = 64) -> None:
        algorithm = run.algorithm
        self.movement = Movement(algorithm.networks, fresh=run.fresh)
        self.suffix = next(iter(algorithm.duels), "")
        self.duel: Duel | None = algorithm.duels.get(self.suffix)
        self.answers, self.paired = "input" in run.sampler().takes, "target" in algorithm.pairs
        if self.duel is None and not self.answers:
            return
        packed = 1 if self.duel is None else int(getattr(self.duel.discriminator, "images_per_score", 1))
        count = max(min(count, len(run.store)) // packed, 1) * packed
        self.batch = run.stream.peek(count)
        self.seed = run.config["seed"]
        self._compared = torch.Size()

    def _compare(self, view: Batch, by_class: bool) -> None:
        """What signals are compared with, of the real images in the size that they have now."""
        if view.image.shape != self._compared:
            self._compared = view.image.shape
            self.spread = spread(view.image, view.label if by_class else None)
            self.ends = float(at_the_ends(view.image))
            large = min(view.image.shape[2:]) >= SMALLEST
            self.pattern = max(float(amplitude(view.image)), LEAST) if large else 0.0

    def look(self, run: Run) -> Signals:
        """The signals of this moment; the run goes on as if nobody had looked."""
        found: dict[str, Tensor] = {}
        for player in ("generator", "discriminator"):
            if f"gradient_norm/{player}" in run.metrics:
                found[f"gradient_{player}"] = run.metrics[f"gradient_norm/{player}"]
        found |= {name: value for name, value in self.movement.read().items() if name in Signals._fields}
        if self.duel is not None:
            seed_round(run.config["seed"], run.step, run.engine.device)  # dropout and augmentation draw
            found |= self._played(self.duel, run.algorithm.views(self.batch)[self.suffix])
        elif self.answers:
            found |= self._sampled(run.sampler())
        if not found:
            return Signals(run.step, run.images_seen / run.stream.count)
        device = run.engine.device
        values = torch.stack([value.detach().float().reshape(()).to(device) for value in found.values()]).tolist()
        signals = dict(zip(found, values, strict=True))
        finite = all(map(math.isfinite, values))
        if signals.get("gradient_discriminator"):
            signals["gradient_ratio"] = signals.get("gradient_generator", math.nan) / signals["gradient_discriminator"]
        return Signals(run.step, run.images_seen / run.stream.count, **signals, finite=float(finite))

    def _played(self, duel: Duel, view: Batch) -> dict[str, Tensor]:
        """Everything that is asked of the players."""
        by_class = view.label is not None and bool(getattr(duel.generator, "num_classes", 0))
        self._compare(view, by_class)
        source = duel.source(view, torch.Generator().manual_seed(self.seed))
        nothing = Fake(view.image, source, column(view, duel.generator_condition))
        turn = duel.turn(duel.generator, view, nothing)  # its ways to ask the players
        assert turn.generator is not None
        dead = (DeadUnits(), DeadUnits())
        networks = [duel.generator, duel.discriminator, duel.augmentation]
        with without_trace(networks), duel.game.engine.autocast():
            with dead[0]:
                fake: Tensor = turn.generator(source)
            other: Tensor | None = turn.generator(source.roll(1, 0)) if by_class else None
            with dead[1]:
                real_scores = turn.critic(turn.real)
            fake_scores = turn.critic(fake)
        between = distance(fake) if other is None else (fake - other).flatten(1).norm(dim=1).mean()
        pulls = pull(duel.game.adversarial, real_scores, fake_scores)
        real, generated = score_of_each(real_scores), score_of_each(fake_scores)
        variety = {"diversity": between / self.spread} if self.spread else {}
        return {
            **variety,
            "accuracy": accuracy(real, generated),
            "score_gap": real.mean() - generated.mean(),
            "score_size": torch.cat((real, generated)).square().mean().sqrt(),
            "real_sign": real.sign().mean(),
            "generator_pull": pulls[0],
            "discriminator_pull": pulls[1],
            "dead": torch.stack([each.share.to(fake.device) for each in dead]).max(),
            **self._seen(fake, view),
        }

    def _sampled(self, sampler: Sampler) -> dict[str, Tensor]:
        """What is seen of the images of a game in which nobody judges them."""
        self._compare(self.batch, by_class=False)
        made = all_images(sampler, sampler.request_for(self.batch, self.seed))
        return self._seen(made.to(self.batch.image.device), self.batch)

    def _seen(self, made: Tensor, view: Batch) -> dict[str, Tensor]:
        """What images show by themselves, and beside what they were made of."""
        seen = {"saturated": at_the_ends(made) - self.ends}
        if self.pattern:
            seen["checkerboard"] = amplitude(made) / self.pattern
        if not self.answers:
            return seen
        if self.spread:
            seen["influence"] = distance(made) / self.spread
        return seen | compare(made, view, self.paired)


def score_of_each(scores: Tensor) -> Tensor:
    """One score for each image or pack, the mean of its map: (N, ...) to (N,)."""
    return scores.flatten(1).mean(1) if scores.dim() > 1 else scores


def at_the_ends(images: Tensor) -> Tensor:
    """The share of values beyond `SATURATED` in size, 0-d."""
    return (images.abs() > SATURATED).float().mean()


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """The share of pairs in which the real score is the larger, ties counting half, 0-d."""
    return ((real[:, None] - fake[None, :]).sign().mean() + 1) / 2


def pull(adversarial: AdversarialLoss, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """How hard the losses pull at scores: the sum of the sizes of the derivatives, of the generator's loss by the fake
    ones, and of the discriminator's by all, over that at scores of 0. Both 0-d."""

    def derivative(real: Tensor, fake: Tensor) -> Tensor:
        real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
        parts = torch.autograd.grad(adversarial.discriminator(real, fake), (real, fake), allow_unused=True)
        return torch.stack([part.abs().sum() for part in parts if part is not None]).sum()

    with torch.enable_grad():
        scores = fake.clone().requires_grad_()
        (slope,) = torch.autograd.grad(adversarial.generator(scores, real if adversarial.needs_real else None), scores)
        return slope.abs().sum(), derivative(real, fake) / derivative(real * 0, fake * 0)
