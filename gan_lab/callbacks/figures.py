"""Reads the round's figures back from the device every `trainer.log_every` steps and hands them to the loggers."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from gan_lab.training.callback import Callback
from gan_lab.training.device_metrics import DeviceMetrics, HostCopy
from gan_lab.training.memory.available import peak
from gan_lab.training.run import Run


class Asked(NamedTuple):
    """Figures of a step that are on their way, and what of them the host knew by itself."""

    step: int
    images_seen: int
    names: tuple[str, ...]
    reading: HostCopy
    rates: dict[str, float]
    logged: bool


class Mark(NamedTuple):
    """When, after how many images, and after how many seconds of waiting for data."""

    time: float
    images: int
    waited: float


class Figures(Callback):
    """Loss terms, mean scores, gradient norms, learning rates; images/s and the share of the time spent waiting for
    data since the last reading; the memory that was needed at most.

    The device is not waited for: figures are handed on when they have arrived, a round or two later, in the order of
    their steps. They are all there at a checkpoint and at the end.
    """

    def __init__(self) -> None:
        self._asked: deque[Asked] = deque()
        self._since = Mark(0.0, 0, 0.0)

    def on_fit_start(self, run: Run) -> None:
        self._since = Mark(time.perf_counter(), run.images_seen, run.stream.waited)

    def on_step_end(self, run: Run) -> None:
        logged = run.due(run.plan.log_every)
        if logged or run.ending:
            readings = DeviceMetrics.of(run.metrics)
            rates = {f"learning_rate/{role}": rate for role, rate in run.algorithm.learning_rates().items()}
            asked = Asked(run.step, run.images_seen, readings.names, HostCopy(readings.vector), rates, logged)
            self._asked.append(asked)
        wait = run.ending or run.due(run.plan.checkpoint_every)
        while self._asked and (wait or len(self._asked) > 2 or self._asked[0].reading.ready):
            self._arrived(run, self._asked.popleft())

    def on_rollback(self, run: Run) -> None:
        self._asked.clear()
        self.on_fit_start(run)

    def on_fit_end(self, run: Run) -> None:
        while self._asked:
            self._arrived(run, self._asked.popleft())

    def _arrived(self, run: Run, asked: Asked) -> None:
        values = asked.reading.wait().tolist()
        then, self._since = self._since, Mark(time.perf_counter(), asked.images_seen, run.stream.waited)
        seconds = max(self._since.time - then.time, 1e-9)
        run.figures = {
            **dict(zip(asked.names, values, strict=True)),
            **asked.rates,
            "images_seen": asked.images_seen,
            "system/images_per_second": (self._since.images - then.images) / seconds,
            "system/wait_share": (self._since.waited - then.waited) / seconds,
        }
        if taken := peak(run.engine.device):  # 0: not known
            run.figures["system/memory_peak"] = taken / 2**20
        if asked.logged:  # an off-beat last step would leave a line that a longer run does not have
            run.loggers.scalars(asked.step, run.figures)
