"""Saves the run every `trainer.checkpoint_every` steps and at its last, in the background; keeps the newest few."""

from __future__ import annotations

import logging
import threading
from functools import partial
from pathlib import Path

from gan_lab.callbacks.finite import check_weights
from gan_lab.storage import checkpoint
from gan_lab.storage.files import remove_unfinished
from gan_lab.storage.snapshot import Snapshot
from gan_lab.training.callback import Callback
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class Checkpoints(Callback):
    """What is written is finite: `StopOnNonFinite` comes before it and looks at the weights first.

    The newest `trainer.checkpoint_keep` are kept, and the best by the run's objective as `best.pt`. A round waits only
    while the state is copied, and for the checkpoint before where that is not on disk yet: there is one copy at a time.
    The last one is on disk when the run is over.

    It comes before whoever measures, so that a measurement that takes the process with it takes no rounds. What was
    measured is then written into the same checkpoint.
    """

    def __init__(self) -> None:
        self._saved = -1
        self._measured: object = None  # what was known when that was saved
        self._snapshot = Snapshot()
        self._written = threading.Event()
        self._written.set()

    def on_fit_start(self, run: Run) -> None:
        remove_unfinished(run.checkpoints)
        self._saved, self._measured = -1 if run.fresh else run.step, run.measured

    def on_step_end(self, run: Run) -> None:
        if run.due(run.plan.checkpoint_every) or run.ending:
            if run.stop_reason:  # somebody behind `StopOnNonFinite` may have ended it
                check_weights(run)
            self._save(run)

    def after_step(self, run: Run) -> None:
        if run.improved or (run.step == self._saved and run.measured is not self._measured):
            self._save(run)

    def on_rollback(self, run: Run) -> None:
        self._saved = -1  # what it holds was done at other learning rates

    def on_fit_end(self, run: Run) -> None:
        if run.outcome == "failed":
            return
        if run.step != self._saved:
            self._save(run)
        run.writer.flush()

    def _save(self, run: Run) -> None:
        self._written.wait()
        self._snapshot.take(run.state_dict())
        self._written.clear()
        run.writer.submit(partial(self._write, run.checkpoints, run.plan.checkpoint_keep, run.improved))
        self._saved, self._measured, run.improved = run.step, run.measured, False

    def _write(self, folder: Path, keep: int, best: bool) -> None:
        try:
            path = checkpoint.save(folder, self._snapshot.state(), keep)
            if best:
                checkpoint.link(path, "best.pt")
            log.debug("saved %s", path)
        finally:
            self._written.set()
