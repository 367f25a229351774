"""What a person sees while waiting: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import time
from collections import deque

from gan_lab.training.callback import Callback
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class Progress(Callback):
    """Step, images/s, losses and the time left, as the latest lines went. `line_every`: steps between lines where there
    is no terminal."""

    def __init__(self, line_every: int = 100) -> None:
        self.line_every = line_every
        self._marks: deque[tuple[float, int, int]] = deque(maxlen=20)  # (time, step, images) of the latest lines
        self._began = 0.0
        self._clearing = _ClearBar()

    def on_fit_start(self, run: Run) -> None:
        self._mark(run)
        self._began = self._marks[-1][0]
        if run.interactive:
            for handler in logging.getLogger().handlers:
                handler.addFilter(self._clearing)

    def on_step_end(self, run: Run) -> None:
        if run.interactive:
            if run.ending or time.perf_counter() - self._marks[-1][0] > 0.2:
                _show("\r\x1b[K" + self._bar(run))
        elif run.due(self.line_every) or run.ending:
            log.info("%s", self._words(run))

    def on_rollback(self, run: Run) -> None:
        self._marks.clear()
        self._mark(run)

    def on_fit_end(self, run: Run) -> None:
        if run.interactive:
            _show("\n")
            for handler in logging.getLogger().handlers:
                handler.removeFilter(self._clearing)

    def _mark(self, run: Run) -> None:
        self._marks.append((time.perf_counter(), run.step, run.images_seen))

    def _words(self, run: Run) -> str:
        began, first_step, first_image = self._marks[0]
        self._mark(run)
        seconds = max(self._marks[-1][0] - began, 1e-9)
        left = seconds / max(run.step - first_step, 1) * (run.plan.max_steps - run.step)
        if run.plan.max_minutes is not None:
            left = min(left, max(60 * run.plan.max_minutes - (self._marks[-1][0] - self._began), 0))
        losses = [
            f"{role} {run.figures[key]:.3f}"
            for role in run.algorithm.networks
            if (key := f"loss/{role}") in run.figures
        ]
        rate = (run.images_seen - first_image) / seconds
        return ", ".join([f"step {run.step}/{run.plan.max_steps}", f"{rate:.0f} img/s", *losses, f"ETA {clock(left)}"])

    def _bar(self, run: Run) -> str:
        words = self._words(run)
        width = max(min(shutil.get_terminal_size().columns - len(words) - 4, 30), 0)
        filled = width * run.step // run.plan.max_steps
        return f"[{'#' * filled}{'.' * (width - filled)}] {words}" if width >= 5 else words


class _ClearBar(logging.Filter):
    """Takes the bar off the terminal's line before a message is printed on it."""

    def filter(self, record: logging.LogRecord) -> bool:
        _show("\r\x1b[K")
        return True


def _show(words: str) -> None:
    """Write to the terminal, which may be gone (a connection that was cut): the run outlives it."""
    with contextlib.suppress(OSError):
        sys.stderr.write(words)
        sys.stderr.flush()


def clock(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
