"""Pictures of what the generator makes from the same latents, and of what it should make."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.callbacks.base import Callback
from gan_lab.images import grid, picture_of, synthetic_note, write_png
from gan_lab.run import Run


class SampleGrids(Callback):
    """A picture of `count` samples every `trainer.sample_every` steps and at the end, in `samples/` and the loggers;
    one of real images once. A generator that takes labels shows its classes by columns, `MAX_COLUMNS` at most; a row
    shares its latent. Where the dataset brings a picture of its own (points in the plane), that is what is drawn."""

    MAX_COLUMNS = 10

    def __init__(self, count: int = 64) -> None:
        self.count = count
        self._written = -1

    def on_fit_start(self, run: Run) -> None:
        if run.fresh:
            draw = picture_of(run.config)
            real = draw(real_images(run, getattr(draw, "count", self.count)))
            run.loggers.image(0, "real", real)
            write_png(run.folder / "samples" / "real.png", real, {"Title": f"real images of {run.store.name}"})

    def on_step_end(self, run: Run) -> None:
        if run.due(run.trainer.sample_every):
            self._write(run)

    def on_fit_end(self, run: Run) -> None:
        if run.outcome != "failed" and run.step != self._written and run.step > 0:
            self._write(run)

    def _write(self, run: Run) -> None:
        seed = run.config["seed"]
        picture = self._picture(run, seed)
        run.loggers.image(run.step, "samples", picture)
        note = synthetic_note(run.folder, run.step, seed)
        write_png(run.folder / "samples" / f"step-{run.step:08d}.png", picture, note)
        self._written = run.step

    def _picture(self, run: Run, seed: int) -> Tensor:
        sampler, draw = run.algorithm.sampler(), picture_of(run.config)
        if sampler.num_classes == 0 or draw is not grid:
            return draw(sampler.sample(getattr(draw, "count", self.count), seed=seed))
        columns = min(sampler.num_classes, self.MAX_COLUMNS)
        classes = torch.linspace(0, sampler.num_classes - 1, columns).long().tolist()
        return grid(sampler.by_class(classes, -(-self.count // columns), seed), columns)


def real_images(run: Run, count: int) -> Tensor:
    """`count` images spread evenly over the store, `(count, C, H, W)` in [-1, 1]."""
    places = torch.linspace(0, len(run.store) - 1, min(count, len(run.store))).long().tolist()
    return run.store.read(places)
