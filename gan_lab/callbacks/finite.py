"""Stops a run whose losses, gradients or weights are no longer numbers, before that reaches a checkpoint."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import torch

from gan_lab.errors import NonFiniteError
from gan_lab.training.callback import Callback
from gan_lab.training.device_metrics import DeviceMetrics, HostCopy
from gan_lab.training.run import Run


class Asked(NamedTuple):
    """The terms of some steps, side by side, on their way to the host."""

    seen: list[tuple[int, DeviceMetrics]]
    reading: HostCopy


class StopOnNonFinite(Callback):
    """Looks at every step's terms, `log_every` steps at a time so that the device is read rarely and never waited for,
    and at the weights before a checkpoint. Raises NonFiniteError naming the first term and its step, or the network and
    parameter."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, DeviceMetrics]] = []
        self._asked: deque[Asked] = deque()

    def on_step_end(self, run: Run) -> None:
        self._seen.append((run.step, DeviceMetrics.of(run.metrics)))
        saving = run.due(run.plan.checkpoint_every) or run.ending
        if saving or run.due(run.plan.log_every) or len(self._seen) >= 100:
            self._ask()
        while self._asked and (saving or len(self._asked) > 2 or self._asked[0].reading.ready):
            self._judge(run, self._asked.popleft())
        if saving:
            check_weights(run)

    def on_rollback(self, run: Run) -> None:
        self._seen = []
        self._asked.clear()

    def on_fit_end(self, run: Run) -> None:
        if run.outcome == "stopped" or run.stop_reason:  # a signal, or another callback, may fall between two looks
            self._ask()
            while self._asked:
                self._judge(run, self._asked.popleft())
            check_weights(run)

    def _ask(self) -> None:
        if self._seen:
            self._asked.append(Asked(self._seen, HostCopy(torch.cat([terms.vector for _, terms in self._seen]))))
            self._seen = []

    def _judge(self, run: Run, asked: Asked) -> None:
        values = asked.reading.wait()
        if bool(values.isfinite().all()):
            return
        for (step, terms), part in zip(asked.seen, values.split([len(t) for _, t in asked.seen]), strict=True):
            for name, value in zip(terms, part.tolist(), strict=True):
                if not math.isfinite(value):
                    raise NonFiniteError(f"{name} is {value} at step {step}; {_advice(run)}")


def check_weights(run: Run) -> None:
    """Raise NonFiniteError for the first parameter or buffer that holds a NaN or an infinity."""
    for role, network in run.algorithm.networks.items():
        named = [*network.named_parameters(), *network.named_buffers()]
        floating = [(name, tensor.detach()) for name, tensor in named if tensor.is_floating_point()]
        if not floating or bool(torch.stack(torch._foreach_norm([t for _, t in floating])).isfinite().all()):
            continue
        for name, tensor in floating:
            if not bool(tensor.isfinite().all()):
                raise NonFiniteError(f"{role}.{name} is not finite at step {run.step}; {_advice(run)}")


def _advice(run: Run) -> str:
    run.writer.wait()  # a checkpoint may be on its way
    saved = run.checkpoints / "last.pt"
    kept = f"the last good checkpoint is {saved}" if saved.exists() else "no checkpoint was written yet"
    return f"{kept}; try a lower optimizer.generator.lr and optimizer.discriminator.lr, or precision=fp32"
