"""How the discriminator's scores of real and of generated images are distributed."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.algorithms.duel import Duel, Fake, column
from gan_lab.config import require_whole
from gan_lab.data.batch import Batch
from gan_lab.engine.seeding import seed_round
from gan_lab.training.callback import Callback, secondary
from gan_lab.training.run import Run
from gan_lab.training.without_trace import without_trace


class ScoreHistograms(Callback):
    """Histograms `score/real/histogram` and `score/fake/histogram` of every duel, every `trainer.sample_every` steps.

    A round notes mean scores alone. So the players are asked anew, as they play (in the modes, precision and
    augmentation of a round), about the same `count` real images, spread over the data, and as many generated ones, in
    batches of the run's size. Of a map of scores every place counts. Nothing of it remains in the run.
    """

    def __init__(self, count: int = 128) -> None:
        self.count = require_whole(count, "callbacks.scores.count", 2)

    def on_step_end(self, run: Run) -> None:
        if run.due(run.plan.sample_every):
            with secondary(f"the histograms of scores of step {run.step}"):
                self._write(run)

    def _write(self, run: Run) -> None:
        seed_round(run.config["seed"], run.step, run.engine.device)  # latents, dropout and augmentation draw
        size = min(run.plan.batch_size // run.plan.accumulation, len(run.store))
        batch = run.stream.peek(min(max(self.count // size, 1) * size, len(run.store) // size * size))
        for suffix, duel in run.algorithm.duels.items():
            view = run.algorithm.views(batch)[suffix]
            parts = [ask(duel, view.part(slice(at, at + size))) for at in range(0, len(view.image), size)]
            for name, scores in zip(("score/real", "score/fake"), zip(*parts, strict=True), strict=True):
                values = torch.cat(scores).float().cpu()
                if len(values := values[values.isfinite()]):
                    run.loggers.histogram(run.step, f"{name}{suffix and '_' + suffix}/histogram", values)


def ask(duel: Duel, batch: Batch) -> tuple[Tensor, Tensor]:
    """The scores `(M,)` of the batch's images and of images that the generator makes for it."""
    source = duel.source(batch, None)
    turn = duel.turn(duel.generator, batch, Fake(batch.image, source, column(batch, duel.generator_condition)))
    assert turn.generator is not None
    with without_trace((duel.generator, duel.discriminator, duel.augmentation)), duel.game.engine.autocast():
        fake = turn.generator(source)
        return turn.critic(batch.image).flatten(), turn.critic(fake).flatten()
