"""Pictures of what the generator makes from the same latents, and of what it should make."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import Tensor

from gan_lab.config import require_whole
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import build_dataset
from gan_lab.data.held_out import held_out_by_itself
from gan_lab.data.tokens import tokenizer_of
from gan_lab.metrics.inputs import Inputs
from gan_lab.pictures.grid import grid, picture_of, synthetic_note, write_png
from gan_lab.pictures.panel import panel
from gan_lab.pictures.words import written
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.storage.files import remove_unfinished
from gan_lab.training.callback import Callback, secondary
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class SampleGrids(Callback):
    """A picture of `count` samples every `trainer.sample_every` steps and at the end, in `samples/` and the loggers;
    one of real images, beside their inputs where they have any, once. What is beside what is the sampler's to say
    (`Sampler.panel`). What is made from inputs or captions is made from those of the test or validation split, where
    the dataset has one: training has not seen them. Captions are written beside what is made of them. Where the dataset
    brings a picture of its own (points in the plane), that is what is drawn.

    Images are made and laid out between two rounds; encoding and writing them is left to the background. A picture that
    fails is a warning."""

    def __init__(self, count: int = 64) -> None:
        self.count = require_whole(count, "callbacks.samples.count", 1)
        self._written = -1
        self._others: Inputs | None = None  # that training does not see

    def on_fit_start(self, run: Run) -> None:
        remove_unfinished(run.folder / "samples")
        if run.sampler().needs:
            with secondary("the pictures of held-out samples"):
                run.unless_interrupted(lambda: self._hold_out(run))  # it may have to pack them
        if run.fresh:
            note = {"Title": f"real images of {run.store.name}"}
            with secondary("the picture of real images"):
                self._submit(run, 0, "real", "real.png", self._real(run), note)

    def on_step_end(self, run: Run) -> None:
        if run.due(run.plan.sample_every):
            self._write(run)

    def on_fit_end(self, run: Run) -> None:
        if run.outcome != "failed" and run.step != self._written and run.step > 0:
            self._write(run)

    def _hold_out(self, run: Run) -> None:
        """Find samples to ask by that training does not see, and say which they are."""
        found = held_out_by_itself(build_dataset(run.config["dataset"], run.store), "dataset.split")
        if found is not None:
            self._others = Inputs(*found, run.config.get("degradation"))
        log.info("samples    are made from %s of the %s", _asked_by(run), self._source(run))

    def _source(self, run: Run) -> str:
        if self._others is None:
            return f"data that is trained on ({run.store.name} has no test split)"
        return f"split {self._others.split} ({len(self._others)} samples, not trained on)"

    def _write(self, run: Run) -> None:
        seed = run.config["seed"]
        note = synthetic_note(run.folder, run.step, seed)
        if run.sampler().needs:
            note["gan-lab:inputs"] = self._source(run)
        self._written = run.step
        with secondary(f"the picture of step {run.step}"):
            self._submit(run, run.step, "samples", f"step-{run.step:08d}.png", self._picture(run, seed), note)

    def _submit(self, run: Run, step: int, name: str, file: str, picture: Tensor, note: dict[str, str]) -> None:
        """Hand a picture to the loggers and to the writer, in the order of bytes in which an encoder takes it."""
        laid_out = picture.permute(1, 2, 0).contiguous().permute(2, 0, 1)
        run.loggers.image(step, name, laid_out)
        run.writer.submit(lambda: self._save(run.folder / "samples" / file, laid_out, note))

    def _save(self, path: Path, picture: Tensor, note: dict[str, str]) -> None:
        with secondary(f"the picture {path.name}"):
            write_png(path, picture, note)

    def _real(self, run: Run) -> Tensor:
        draw = picture_of(run.config)
        if draw is not grid:
            return draw(shown(run, getattr(draw, "count", self.count)).image)
        columns = shown(run, self.count)._asdict()
        pictures = {name: columns[name] for name in ("input", "image") if columns[name] is not None}
        return panel({**captions_of(run, columns["caption"]), **pictures})

    def _picture(self, run: Run, seed: int) -> Tensor:
        sampler, draw = run.sampler(), picture_of(run.config)
        if draw is not grid:
            return draw(all_images(sampler, Request(getattr(draw, "count", self.count), seed)))
        batch = shown(run, self.count) if self._others is None else self._others.spread(self.count)
        told = captions_of(run, batch.caption) if "caption" in sampler.needs else {}
        return panel({**told, **sampler.panel(batch, seed)})


def _asked_by(run: Run) -> str:
    return " and ".join(f"{name}s" for name in run.sampler().needs)


def captions_of(run: Run, tokens: Tensor | None) -> dict[str, Tensor]:
    """A column of captions as they are read, where the data has any."""
    tokenizer = tokenizer_of(run.config)
    if tokens is None or tokenizer is None:
        return {}
    return {"caption": written([tokenizer.decode(row) for row in tokens])}


def shown(run: Run, count: int) -> Batch:
    """`count` samples spread evenly over the data, on the CPU."""
    batch = run.stream.peek(min(count, len(run.store)))
    return Batch(*(None if column is None else column.cpu() for column in batch))  # type: ignore[arg-type]
