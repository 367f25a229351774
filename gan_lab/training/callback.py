"""The moments that a callback may watch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gan_lab.errors import describe

if TYPE_CHECKING:
    from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class Callback:
    """Watches a run. It may read everything and write files; what it draws changes no round."""

    def on_fit_start(self, run: Run) -> None:
        """Before the first round of this process."""

    def on_step_end(self, run: Run) -> None:
        """After a round; `run.step` counts it, `run.metrics` are its 0-d tensors."""

    def after_step(self, run: Run) -> None:
        """After every callback has heard of that round: what they have found of it is in the run."""

    def on_rollback(self, run: Run) -> None:
        """The run stands at an earlier step again (`run.step`): what is known of later ones does not count."""

    def on_fit_end(self, run: Run) -> None:
        """After the last round, a stop or a failure (`run.outcome`)."""


@contextmanager
def secondary(what: str) -> Iterator[None]:
    """What fails in here (a metric, a picture, a look) is said, and the run goes on."""
    try:
        yield
    except Exception as error:
        log.warning("%s failed: %s; training goes on", what, describe(error))
