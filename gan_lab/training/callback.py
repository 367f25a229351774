"""The three moments that a callback may watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gan_lab.training.run import Run


class Callback:
    """Watches a run. It may read everything and write files; what it draws changes no round."""

    def on_fit_start(self, run: Run) -> None:
        """Before the first round of this process."""

    def on_step_end(self, run: Run) -> None:
        """After a round; `run.step` counts it, `run.metrics` are its 0-d tensors."""

    def on_rollback(self, run: Run) -> None:
        """The run stands at an earlier step again (`run.step`): what is known of later ones does not count."""

    def on_fit_end(self, run: Run) -> None:
        """After the last round, a stop or a failure (`run.outcome`)."""
