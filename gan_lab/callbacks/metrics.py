"""Metrics while a run goes on: every so often the averaged generator is measured, the best checkpoint is kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from gan_lab.config import build, require_whole
from gan_lab.errors import describe
from gan_lab.metrics.figure import Figure, find_figure
from gan_lab.training.callback import Callback, secondary
from gan_lab.training.looks_with import cards_of, on_card
from gan_lab.training.run import Best, Run

log = logging.getLogger(__name__)


class Metrics(Callback):
    """Takes the run's `metrics` of `n` generated images every `every` steps, and at the end; 0 is never.

    Where the run's `objective` is one of them, the best value is remembered and its checkpoint kept as `best.pt`, and
    with `patience` the run ends after so many measurements without a better one. A generator that makes images from
    others gets them from `inputs`: a split of the dataset or what lies at a path; None is the test or validation split
    where there is one, else the data itself. With `whole` they are pictures of their own sizes, as test sets of
    super-resolution are, and only measures of pairs are taken. What the extractor and the data need is made before the
    first round; missing weights are noticed there, and it is said which metrics cannot be taken. One that fails later
    is a warning.
    """

    def __init__(
        self,
        every: int = 500,
        n: int = 2000,
        patience: int | None = None,
        inputs: str | None = None,
        whole: bool = False,
    ) -> None:
        require_whole(every, "callbacks.metrics.every", 0)
        if patience is not None:
            require_whole(patience, "callbacks.metrics.patience", 1, ", or null")
        self.every = every
        self.n = require_whole(n, "callbacks.metrics.n", 2)
        self.patience = patience
        self.inputs = inputs
        self.whole = whole
        self._times, self._seconds = 0, 0.0  # of measuring
        self._measured = -1
        self._measures: dict[str, Any] = {}

    def on_fit_start(self, run: Run) -> None:
        nodes: Mapping[str, Any] = run.config.get("metrics") or {}
        if self.every and nodes and run.plan.max_steps > run.step:
            run.unless_interrupted(lambda: self._prepare(run, nodes))  # it may have to train an extractor

    def _prepare(self, run: Run, nodes: Mapping[str, Any]) -> None:
        from gan_lab.metrics.evaluate import applicable, cautions, count_for, extractor_for, reference_for

        measures = {name: build(node, f"metrics.{name}") for name, node in nodes.items() if node is not None}
        extractor, sampler = extractor_for(measures, run.config["extractor"]), run.sampler()
        where = (run.engine.device, self.inputs, "callbacks.metrics.inputs")
        self._reference = reference_for(sampler, run.config, extractor, *where, store=run.store, whole=self.whole)
        n = count_for(sampler, self._reference, self.n)
        self._measures, refused = applicable(measures, self._reference, sampler, n)
        for name, why in refused.items():
            log.info("metrics    %s is not taken: %s", name, why)
        for line in cautions(self._measures, self._reference, n):
            log.warning("%s", line)
        self._measured = run.step if run.measured else -1

    def on_step_end(self, run: Run) -> None:
        if not self._measures:
            return
        due = run.due(self.every)
        if due or (run.ending and self._measured != run.step):
            run.writer.wait()  # for the checkpoint of this step
            figures: list[Figure] = []
            with secondary(f"measuring at step {run.step}"):
                figures = self._measure(run)
            if due and figures:  # an off-beat last step would leave a line that a longer run does not have
                run.loggers.metrics(run.step, figures)
                with secondary("judging the objective"):
                    self._judge(run)

    def on_rollback(self, run: Run) -> None:
        self._measured = -1

    def on_fit_end(self, run: Run) -> None:
        if self._times:
            log.info("metrics    %d measurements took %.1f s", self._times, self._seconds)

    def _measure(self, run: Run) -> list[Figure]:
        from gan_lab.metrics.evaluate import measure

        began = time.perf_counter()
        about = {"step": run.step, "averaged": True, "precision": "fp32", **on_card(cards_of(run))}
        seed = run.config["seed"]
        failed: dict[str, Exception] = {}
        self._measured = run.step
        figures = measure(run.sampler(), self._reference, self._measures, self.n, seed, about, failed=failed)
        for name, error in failed.items():
            log.warning("metrics: %s is not taken at step %d: %s", name, run.step, describe(error))
        if not figures:
            return []
        run.measured = {figure.name: figure for figure in figures}
        self._times, self._seconds = self._times + 1, self._seconds + time.perf_counter() - began
        shown = ", ".join(f"{figure.name} {figure.value:.4g}" for figure in figures)
        log.info("step %d: %s", run.step, shown)
        return figures

    def _judge(self, run: Run) -> None:
        """Remember the best; end the run where it has not been beaten for long."""
        name = find_figure(run.measured, run.config["objective"])
        if name is None:
            return
        figure, best = run.measured[name], run.best
        if math.isnan(figure.value):
            return
        if best is None or best.name != name or better(figure, best.value):
            run.best = Best(name, figure.value, run.step, 0)
            run.improved = True
            return
        run.best = best._replace(waited=best.waited + 1)
        if self.patience is not None and run.best.waited >= self.patience:
            run.stop_reason = (
                f"{name} has not fallen below {best.value:.4g} (step {best.step}) in {self.patience} measurements"
                if figure.lower_is_better
                else f"{name} has not risen above {best.value:.4g} (step {best.step}) in {self.patience} measurements"
            )
            log.info("stopping early: %s", run.stop_reason)


def better(figure: Figure, than: float) -> bool:
    """Whether a figure is better than a value of the same name."""
    return figure.value < than if figure.lower_is_better else figure.value > than
