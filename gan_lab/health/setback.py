"""How far the figure that a run is judged by has fallen behind its best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gan_lab.metrics.figure import Figure

if TYPE_CHECKING:
    from gan_lab.training.run import Run

ERRORS = 5  # standard errors that a difference must exceed
LEAST = 0.1  # what it must exceed where no error is known


class Setback:
    """One measurement may be an outlier, so of the two latest the better one counts."""

    def __init__(self) -> None:
        self._ratios: list[float] = []
        self._seen: object = None

    def read(self, run: Run) -> float:
        """How many times worse than at best, at least 1; nan before two measurements with an objective."""
        if run.best is not None and run.measured is not self._seen and run.best.name in run.measured:
            self._seen = run.measured
            self._ratios = [*self._ratios[-1:], ratio(run.measured[run.best.name], run.best.value)]
        return min(self._ratios) if len(self._ratios) > 1 else math.nan


def ratio(figure: Figure, best: float) -> float:
    """How many times worse a figure is than `best`; 1 where the difference may be chance, nan where a ratio of them has
    no meaning."""
    worse, better = (figure.value, best) if figure.lower_is_better else (best, figure.value)
    if not (math.isfinite(worse) and better > 0):
        return math.nan
    apart = LEAST if figure.spread is None or math.isnan(figure.spread) else ERRORS * figure.spread
    return max(worse / better, 1.0) if worse - better > apart else 1.0
