"""Going back to a checkpoint within a run, with lower learning rates, as if the steps since had not been."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from gan_lab.config import SCHEDULE, schedules, to_yaml
from gan_lab.storage import checkpoint
from gan_lab.storage.files import write_text
from gan_lab.training.callback import Callback
from gan_lab.training.run import Rollback, Run
from gan_lab.training.schedule_binding import Scheduled

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
    lower_rates(run, asked.rate)
    if run.engine.world.is_main:
        write_down(run, asked)
    for callback in callbacks:
        callback.on_rollback(run)
    run.loggers.close()
    run.loggers.open(run.folder, run.step)
    rates = ", ".join(f"{role} {rate:.3g}" for role, rate in run.algorithm.learning_rates().items())
    log.warning("rolled back from step %d to step %d; learning rates are now %s", undone, run.step, rates)


def write_down(run: Run, asked: Rollback) -> None:
    """Let the run's folder say where it stands: later checkpoints go, and the rates are lower."""
    for path in run.checkpoints.glob("step-*.pt"):
        if int(path.stem.removeprefix("step-")) > asked.step:
            path.unlink(missing_ok=True)
    checkpoint.link(asked.path, "last.pt")
    write_text(run.folder / "config.yaml", to_yaml(run.config))


def lower_rates(run: Run, rate: float) -> None:
    """Multiply every learning rate, and all that a schedule makes of it, in the run and in its configuration."""
    algorithm = run.algorithm
    keys = {f"optimizer.{role}.lr" for role in algorithm.base_rates}
    for rates in algorithm.base_rates.values():
        rates[:] = [each * rate for each in rates]  # in place: a schedule writes there
    for setting in algorithm.settings:
        if isinstance(setting, Scheduled) and setting.key in keys:
            setting.scale *= rate
    algorithm.schedule_step(run.step)
    for role, optimizer in algorithm.optimizers.items():
        node = run.config["optimizer"].get(role)
        if isinstance(node, dict):
            node["lr"] = float(node.get("lr", optimizer.defaults["lr"])) * rate
    _lower_ramps(run.config, keys, rate)


def _lower_ramps(config: dict[str, Any], keys: Collection[str], rate: float) -> None:
    """In a configuration: the ends of every ramp of a learning rate. One that moves other numbers, too, is parted."""
    for home, number, _ in list(schedules({"optimizer": config["optimizer"]})):
        if f"{home}.{number}" in keys:
            node = config["optimizer"][home.partition(".")[2]]
            node[SCHEDULE] = {**node[SCHEDULE], number: _lowered(node[SCHEDULE][number], rate)}
    named = config.get("schedules") or {}
    for name, ramp in list(named.items()):
        if ramp is None:
            continue
        rates = [key for key in ramp.get("settings") or () if key in keys]
        others = [key for key in ramp.get("settings") or () if key not in keys]
        if rates and others:
            named[name], name = {**ramp, "settings": others}, f"{name}_of_rates"
        if rates:
            named[name] = _lowered({**ramp, "settings": rates}, rate)


def _lowered(ramp: Mapping[str, Any], rate: float) -> dict[str, Any]:
    ends = {end: float(ramp[end]) * rate for end in ("start", "end") if ramp.get(end) is not None}
    return {**ramp, **ends}
