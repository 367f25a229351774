"""Reads the round's figures back from the device every `trainer.log_every` steps and hands them to the loggers."""

from __future__ import annotations

import time

import torch

from gan_lab.callbacks.base import Callback
from gan_lab.run import Run


class Figures(Callback):
    """Loss terms, mean scores, gradient norms, learning rates, and images/s since the last reading."""

    def __init__(self) -> None:
        self._since = (0.0, 0)

    def on_fit_start(self, run: Run) -> None:
        self._since = (time.perf_counter(), run.images_seen)

    def on_step_end(self, run: Run) -> None:
        scheduled = run.due(run.trainer.log_every)
        if not (scheduled or run.last_step):
            return
        values = torch.stack([value.float() for value in run.metrics.values()]).tolist()
        now, (then, images) = time.perf_counter(), self._since
        run.figures = dict(zip(run.metrics, values, strict=True))
        run.figures |= {f"learning_rate/{role}": rate for role, rate in run.algorithm.learning_rates().items()}
        run.figures["images_seen"] = run.images_seen
        run.figures["images_per_second"] = (run.images_seen - images) / max(now - then, 1e-9)
        self._since = (now, run.images_seen)
        if scheduled:  # an off-beat last step would leave a line that a longer run does not have
            run.loggers.scalars(run.step, run.figures)
