"""The end of a run by the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable as Function

from gan_lab.training.callback import Callback
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class TimeLimit(Callback):
    """Ends a run after `minutes` of one session, as its last step would: with metrics, samples and a checkpoint.

    The clock runs from the first round of the session (whoever goes on has as long again) and is read after a round, so
    what is measured and written at the end comes on top. No number depends on it: schedules follow the step, and stand
    where `trainer.max_steps` has them; a run that goes on from here is the run that was never ended. Of several
    processes the first has the clock.
    """

    def __init__(self, minutes: float, clock: Function[[], float] = time.monotonic) -> None:
        self.minutes = minutes
        self._clock = clock
        self._began = 0.0

    def on_fit_start(self, run: Run) -> None:
        self._began = self._clock()

    def on_step_end(self, run: Run) -> None:
        if self._clock() - self._began >= 60 * self.minutes and not run.ending:
            share = run.step / run.plan.max_steps
            run.stop_reason = (
                f"{self.minutes:g} minutes are over (trainer.max_minutes), at {share:.0%} of trainer.max_steps and of "
                "the schedules that follow it"
            )
            log.info("step %d: %s", run.step, run.stop_reason)
