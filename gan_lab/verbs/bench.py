"""`gan-lab bench`: how fast a round is, against the tutorials' loop and against what the machine can do."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.console import command, shown
from gan_lab.config import require_whole
from gan_lab.distributed.processes import Processes
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from omegaconf import DictConfig

    from gan_lab.training.run import Run

log = logging.getLogger(__name__)

OURS = "gan-lab"
LONGEST = 10**4  # rounds looked through for kinds of rounds
OTHERS = ("textbook", "eager")
EAGER = {"capture": "off", "compile": "off", "products": False}


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns images per second."""
    from hydra.core.hydra_config import HydraConfig

    from gan_lab.config import settings

    hydra = HydraConfig.get()
    folder = Path(cfg.out) if cfg.out else Path(hydra.runtime.output_dir)
    config = settings(cfg)
    check(config)
    found = bench(config, folder, dict(hydra.runtime.choices)["model"], list(hydra.overrides.task))
    rate: float = found["sides"][OURS]["images_per_second"][0]
    return rate


def check(config: dict[str, Any]) -> None:
    """Raise ConfigError for what cannot be measured."""
    if config["against"] not in OTHERS:
        raise ConfigError(f"against: {config['against']!r} is not one of {', '.join(OTHERS)}")
    require_whole(config["blocks"], "blocks")
    seconds = config["seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise ConfigError(f"seconds: {seconds!r} is not a number above 0")
    if config["resume"] is not None:
        raise ConfigError("resume: a benchmark plays fresh networks; leave it out and name the run's model=")
    if Processes.of(config["engine"]).several:
        raise ConfigError("engine.processes, engine.nodes: a benchmark is of one process; leave them out")


def bench(config: dict[str, Any], folder: Path, model: str, words: Sequence[str]) -> dict[str, Any]:
    """Measure, report, and write `bench.json` (with `profile`, a trace and tables too) into `folder`.

    Callbacks and loggers take no part: what is measured is the round.
    """
    from gan_lab.benchmark import report
    from gan_lab.callbacks.summary import installed
    from gan_lab.storage.files import write_json
    from gan_lab.training.assemble import assemble

    make(folder)
    config = {**config, "callbacks": {}, "logger": {}}
    run, _ = assemble(config, folder)
    plain = {**copy.deepcopy(config), "engine": {**config["engine"], **EAGER}}  # as settled: both play the same game
    with contextlib.ExitStack() as closing:
        closing.callback(run.stream.close)
        closing.enter_context(run.engine.own_stream())
        found = {
            "command": command("bench", *words),
            "date": report.today(),
            "hardware": report.hardware(run.engine.device),
            "versions": installed(),
            "model": model,
            **described(run),
            "against": config["against"],
            **measured(run, plain, config, folder, opponent(run, plain, config["against"], folder, closing)),
        }
        if config["profile"]:
            from gan_lab.benchmark.tracing import profile

            found["profile"] = profile(run, folder, found["ceilings"]["matmul"])
    for line in report.words(found):
        log.info(line)
    log.info("\n%s\n%s", report.HEADER, report.row(found))
    write_json(folder / "bench.json", found)
    log.info("written   %s", shown(folder / "bench.json"))
    return found


def described(run: Run) -> dict[str, Any]:
    """What a round is of."""
    return {
        "dataset": run.store.name,
        "image_shape": list(run.store.shape),
        "batch_size": run.plan.batch_size,
        "images_per_round": run.plan.batch_size * run.algorithm.batches_per_round,
        "precision": run.engine.precision,
    }


def opponent(
    run: Run, plain: dict[str, Any], against: str, folder: Path, closing: contextlib.ExitStack
) -> Callable[[], object]:
    """A round of the other side."""
    from gan_lab.benchmark.textbook import textbook
    from gan_lab.training.assemble import assemble

    if against == "textbook":
        return textbook(run)
    eager, _ = assemble(plain, folder)
    closing.callback(eager.stream.close)
    return lambda: eager.play()


def measured(
    run: Run, plain: dict[str, Any], config: Mapping[str, Any], folder: Path, other: Callable[[], object]
) -> dict[str, Any]:
    """Both sides in turn: their times, their ratio, their memory, and how near ours comes to what the machine can."""
    from gan_lab.benchmark import measuring, report
    from gan_lab.benchmark.ceilings import ceilings
    from gan_lab.training.memory.available import taken_by
    from gan_lab.training.memory.shortage import explain_shortage

    device, against, blocks = run.engine.device, config["against"], config["blocks"]
    sides: dict[str, Callable[[], object]] = {OURS: lambda: run.play(), against: other}
    images = run.plan.batch_size * run.algorithm.batches_per_round
    log.info("compute   %s, %s", report.hardware(device), run.engine.description)
    flops = counted_flops(copy.deepcopy(plain), folder) / images
    limit = ceilings(device, precision_of(run))
    peaks: dict[str, int] = {}
    explain_shortage(run, lambda: peaks.update({OURS: taken_by(_several(sides[OURS], 3), device)}))
    peaks[against] = taken_by(_several(other, 3), device)
    waited = 0.0

    def tell(index: int, latest: dict[str, measuring.Block]) -> None:
        nonlocal waited
        waited = waited if index else run.stream.waited
        rates = ", ".join(f"{name} {images / each.each:,.0f} images/s" for name, each in latest.items())
        log.info("%s %s", "warm up  " if index == 0 else f"{f'{index}/{blocks}':<9}", rates)

    played = measuring.alternate(sides, blocks, config["seconds"], device, tell)
    waited = run.stream.waited - waited
    figures = report.figures(played, OURS, against, images, peaks)
    reached = flops * figures["sides"][OURS]["images_per_second"][0]
    return {
        **figures,
        "flops_per_image": flops,
        "ceilings": limit._asdict(),
        "wait_share": waited / sum(each.seconds for each in played[OURS]),
        "flops": reached,
        "share_of_matmul": reached / limit.matmul,
    }


def make(folder: Path) -> None:
    """Raise ConfigError where nothing can be written, before minutes are spent on measuring."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"out: {shown(folder)}: {error.strerror}") from error


def counted_flops(config: dict[str, Any], folder: Path) -> float:
    """FLOPs of the products and convolutions of a round, counted as torch launches them; what works element by element
    is not counted. Where regularizers are lazy, the mean of the rounds with and without them."""
    from gan_lab.training.assemble import assemble
    from gan_lab.training.memory.batch_size import give_back

    config["engine"]["precision"] = config["precision"] = "fp32"
    try:
        return mean_flops(assemble(config, folder)[0])
    finally:
        give_back(None)


def mean_flops(run: Run) -> float:
    """Of the rounds in which the lazy regularizers come round, each kind of round played once."""
    from gan_lab.benchmark.flops import count_flops

    regularizers = run.algorithm.regularizers.values()
    period = min(math.lcm(*(int(each.every) for each in regularizers)), LONGEST)
    dues = [run.algorithm.due(step) for step in range(period)]
    total = 0
    for due, times in Counter(dues).items():
        run.step = dues.index(due)
        total += times * count_flops(lambda: run.play())
    run.stream.close()
    return total / period


def precision_of(run: Run) -> torch.dtype:
    """The type that products are computed in."""
    import torch

    return torch.bfloat16 if run.engine.precision == "bf16" else torch.float32


def _several(step: Callable[[], object], count: int) -> Callable[[], None]:
    def play() -> None:
        for _ in range(count):
            step()

    return play
