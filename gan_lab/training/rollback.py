"""Going back to a checkpoint within a run, with lower learning rates, as if the steps since had not been."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from gan_lab.config import to_yaml
from gan_lab.storage import checkpoint
from gan_lab.storage.files import write_text
from gan_lab.training.callback import Callback
from gan_lab.training.run import Run

log = logging.getLogger(__name__)

RATE = 0.5


def target(run: Run, step: int) -> tuple[int, Path] | None:
    """The newest checkpoint at or before `step`; None where there is none any more."""
    run.writer.wait()  # one may be on its way
    found = [(int(path.stem.removeprefix("step-")), path) for path in run.checkpoints.glob("step-*.pt")]
    return max((each for each in found if each[0] <= step), default=None)


def roll_back(run: Run, callbacks: Iterable[Callback]) -> None:
    """Do what `run.rollback` asks for, between two rounds.

    Networks, averages, optimizers, stream and figures are those of the checkpoint, and the rounds from there draw what
    they drew before: the lower rates are what makes them go elsewhere. Later checkpoints go, except `best.pt`; so do
    figures of later steps. The rates are written to `config.yaml`: a resumed run keeps them. Rounds that were captured
    as graphs work on memory that is no longer the optimizers', and are captured anew.
    """
    assert run.rollback is not None
    asked, run.rollback = run.rollback, None
    undone, best = run.step, run.best
    run.writer.wait()
    run.load_state_dict(checkpoint.load(asked.path))
    run.best, run.metrics = best, {}
    run.rounds.forget()
    for path in run.checkpoints.glob("step-*.pt"):
        if int(path.stem.removeprefix("step-")) > asked.step:
            path.unlink(missing_ok=True)
    checkpoint.link(asked.path, "last.pt")
    lower_rates(run, asked.rate)
    for callback in callbacks:
        callback.on_rollback(run)
    run.loggers.close()
    run.loggers.open(run.folder, run.step)
    rates = ", ".join(f"{role} {rates[0]:.3g}" for role, rates in run.algorithm.base_rates.items())
    log.warning("rolled back from step %d to step %d; learning rates are now %s", undone, run.step, rates)


def lower_rates(run: Run, rate: float) -> None:
    """Multiply every learning rate, in the run and in its `config.yaml`."""
    for role, rates in run.algorithm.base_rates.items():
        run.algorithm.base_rates[role] = [each * rate for each in rates]
        node = run.config["optimizer"].get(role)
        if isinstance(node, dict) and isinstance(node.get("lr"), float):
            node["lr"] *= rate
    write_text(run.folder / "config.yaml", to_yaml(run.config))
