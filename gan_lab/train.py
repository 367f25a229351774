"""`gan-lab train`: from a composed configuration to a finished run. Imports no torch until it trains.

What a round is: `algorithms/noise_to_image.py` has the order of moves, `algorithms/duel.py` what each player minimises.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.console import command, dashboard, shown
from gan_lab.errors import ConfigError, GanLabError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.training.ended import Ended
    from gan_lab.training.run import Run
    from gan_lab.training.start import Asked

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> float:
    """The Hydra task: `cfg` without its `hydra` node. Returns the figure named by `objective`."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra = HydraConfig.get()
    alone = hydra.mode == RunMode.RUN
    return train(cfg, Path(hydra.runtime.output_dir), interactive=alone and sys.stderr.isatty())


def train(cfg: DictConfig, folder: Path, interactive: bool = False) -> float:
    """Train what `cfg` describes in `folder`, or go on with the run that lies there (`resume`); with as many processes
    as `engine.processes` says, or in the place of one of those that somebody else has started."""
    from gan_lab.distributed.group import is_member, joined
    from gan_lab.distributed.processes import Processes
    from gan_lab.training.start import ask

    logging.raiseExceptions = False  # a full disk under train.log must not print a traceback per message
    asked = ask(cfg, folder)
    engine = asked.typed["engine"]
    processes = Processes.of(engine).counted(str(engine["device"]))
    if is_member():
        with joined(str(engine["device"]), processes.timeout):
            ended = play(asked, folder, interactive)
    elif processes.watched:
        from gan_lab.training.several import play_together

        ended = play_together(play, asked, folder, interactive, processes)
    else:
        ended = play(asked, folder, interactive)
    if ended.stopped is not None:
        ended.stopped.call_previous_handler()
        raise SystemExit(ended.stopped.exit_code)
    return ended.objective


def play(asked: Asked, folder: Path, interactive: bool = False, heard: Callable[[str], None] | None = None) -> Ended:
    """Train in this process, which may be one of several: the first says what is trained, and where."""
    from gan_lab.distributed.missing import explain_missing
    from gan_lab.distributed.world import World
    from gan_lab.storage.folders import discard
    from gan_lab.storage.lock import lock_folder
    from gan_lab.training import start as beginning
    from gan_lab.training.assemble import assemble
    from gan_lab.training.ended import Ended
    from gan_lab.training.rank import settle_in
    from gan_lab.training.trainer import fit

    world = World.of_default_group()
    with contextlib.ExitStack() as inside, explain_missing():
        own, folder = folder, world.agree(folder)
        settle_in(world.rank, own, folder)
        if world.is_main:
            inside.enter_context(lock_folder(folder))
        start = beginning.begin(asked, folder) if world.is_main else None
        told = world.agree(None if start is None else start.told())
        start = start or told
        assert start is not None
        begun = (folder / "config.yaml").exists()
        start.read_state()
        if start.state is not None and start.state["step"] >= start.config["trainer"]["max_steps"]:
            log.info("nothing to do: at %d of %d steps", start.state["step"], start.config["trainer"]["max_steps"])
            more = f"trainer.max_steps={2 * start.state['step']}"
            log.info("for more: %s", command("train", f"resume={shown(folder)}", more))
            return Ended(stored_objective(start.state, start.config["objective"]), folder)
        try:
            run, callbacks = assemble(start.config, folder, start.state, interactive and world.is_main)
            check_statistics(run)
        except GanLabError:
            if not begun and world.size == 1:
                discard(folder)
            raise
        if world.is_main:
            beginning.accept(start, run)
        announce(run)
        interruption = fit(run, callbacks, heard)
        if world.is_main:
            conclude(run)
        objective = world.agree(objective_of(run) if world.is_main else float("nan"))
    stopped = interruption.signal is not None and run.outcome == "stopped"
    return Ended(objective, folder, interruption if stopped else None)


def objective_of(run: Run) -> float:
    """The figure that a run which is over is compared by; nan where it has none of that name, which is said where
    somebody has asked for it. The run itself is done and good."""
    from gan_lab.command_line.overrides import read

    try:
        found = run.objective()
        why = f"is not a figure of this run (it has: {', '.join(list(run.results)[:8])}, ...)"
    except ConfigError as error:
        found, why = None, str(error)
    if found is None and any(read(word).key == "objective" for word in run.config.get("overrides") or ()):
        log.warning("objective=%s %s", run.config["objective"], why)
    return float("nan") if found is None else found


def check_statistics(run: Run) -> None:
    """Raise ConfigError where batch normalization would see one number a channel: a round of pieces of one image, which
    is played without a trace, says so."""
    from gan_lab.training.memory.batch_size import coupled_layers
    from gan_lab.training.memory.dry_round import dry_round

    batch, pieces = run.plan.batch_size, run.plan.accumulation
    if batch // pieces > 1 or run.engine.world.size > 1 or "BatchNorm" not in coupled_layers(run):
        return
    try:
        dry_round(run, batch, pieces)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        size = "trainer.batch_size" if pieces == 1 else "trainer.accumulation"
        raise ConfigError(
            f"{size}: BatchNorm has no statistics of a piece of one image; let pieces (trainer.batch_size divided by "
            "trainer.accumulation) be of two images or more"
        ) from error


def stored_objective(state: dict[str, Any], objective: str) -> float:
    """The figure that a run is compared by, out of its checkpoint; nan where there is none."""
    from gan_lab.metrics.figure import find_figure

    measured = {name: record["value"] for name, record in state.get("measured", {}).items()}
    figures = {**state["metrics"], **measured}
    name = find_figure(figures, objective)
    return float("nan") if name is None else float(figures[name])


def announce(run: Run) -> None:
    """What is about to happen, in a few lines."""
    sizes = {role: sum(p.numel() for p in net.parameters()) / 1e6 for role, net in run.algorithm.networks.items()}
    networks = ", ".join(f"{role} {millions:.2f} M" for role, millions in sizes.items())
    channels, height, width = run.store.shape
    log.info("data     %s: %d images of %dx%dx%d", run.store.name, run.stream.count, channels, height, width)
    log.info("networks %s parameters", networks)
    log.info("compute  %s", run.engine.description)
    log.info("run      %s, steps %d to %d", shown(run.folder), run.step, run.plan.max_steps)


def conclude(run: Run) -> None:
    """Where things are and what to type next."""
    from gan_lab.training.memory.available import peak, size

    grids = sorted((run.folder / "samples").glob("step-*.png"))
    log.info(
        "%s at step %d of %d%s",
        run.outcome,
        run.step,
        run.plan.max_steps,
        f": {run.stop_reason}" if run.stop_reason else "",
    )
    if run.best is not None:
        log.info("best       %s %.4g at step %d, checkpoints/best.pt", run.best.name, run.best.value, run.best.step)
    if grids:
        log.info("samples    %s", shown(grids[-1]))
    if taken := peak(run.engine.device):  # 0: not known
        log.info("memory     %s at most", size(taken))
    log.info("dashboard  %s", dashboard(run.folder))
    told = {(): ["n=64"], ("caption",): ["text=what is to be seen"]}.get(run.sampler().needs)
    if told:
        log.info("more       %s", shlex.join(["gan-lab", "sample", f"run={shown(run.folder)}", *told]))
    following = [f"trainer.max_steps={2 * run.plan.max_steps}"] if run.last_step else []
    log.info("go on      %s", command("train", f"resume={shown(run.folder)}", *following))
