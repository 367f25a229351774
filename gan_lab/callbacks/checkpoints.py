"""Saves the run every `trainer.checkpoint_every` steps and at its end, keeping the newest `trainer.checkpoint_keep`."""

from __future__ import annotations

import logging

from gan_lab import checkpoint
from gan_lab.callbacks.base import Callback
from gan_lab.run import Run

log = logging.getLogger(__name__)


class Checkpoints(Callback):
    """What is written is finite: `StopOnNonFinite` comes before it and looks at the weights first."""

    def __init__(self) -> None:
        self._saved = -1

    def on_fit_start(self, run: Run) -> None:
        self._saved = -1 if run.fresh else run.step

    def on_step_end(self, run: Run) -> None:
        if run.due(run.trainer.checkpoint_every):
            self._save(run)

    def on_fit_end(self, run: Run) -> None:
        if run.outcome != "failed" and run.step != self._saved:
            self._save(run)

    def _save(self, run: Run) -> None:
        path = checkpoint.save(run.checkpoints, run.state_dict(), run.trainer.checkpoint_keep)
        self._saved = run.step
        log.debug("saved %s", path)
