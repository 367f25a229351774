"""Stops a run whose losses, gradients or weights are no longer numbers, before that reaches a checkpoint."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.callbacks.base import Callback
from gan_lab.errors import NonFiniteError
from gan_lab.run import Run


class StopOnNonFinite(Callback):
    """Looks at every step's terms, `log_every` steps at a time so that the device is read rarely, and at the weights
    before a checkpoint. Raises NonFiniteError naming the first term and its step, or the network and parameter."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, dict[str, Tensor]]] = []

    def on_step_end(self, run: Run) -> None:
        self._seen.append((run.step, run.metrics))
        saving = run.due(run.trainer.checkpoint_every) or run.last_step
        if saving or run.due(run.trainer.log_every) or len(self._seen) >= 100:
            self._check_terms(run)
        if saving:
            check_weights(run)

    def on_fit_end(self, run: Run) -> None:
        if run.outcome == "stopped":  # a signal may fall between two looks
            self._check_terms(run)
            check_weights(run)

    def _check_terms(self, run: Run) -> None:
        seen, self._seen = self._seen, []
        if not seen:
            return
        values = torch.stack([torch.stack([v.float() for v in metrics.values()]).sum() for _, metrics in seen])
        for (step, metrics), good in zip(seen, values.isfinite().tolist(), strict=True):
            bad = [] if good else [name for name, value in metrics.items() if not bool(value.isfinite())]
            if bad:
                raise NonFiniteError(f"{bad[0]} is {float(metrics[bad[0]])} at step {step}; {_advice(run)}")


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
    saved = run.checkpoints / "last.pt"
    kept = f"the last good checkpoint is {saved}" if saved.exists() else "no checkpoint was written yet"
    return f"{kept}; try a lower optimizer.generator.lr and optimizer.discriminator.lr, or precision=fp32"
