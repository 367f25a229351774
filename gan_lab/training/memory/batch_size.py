"""Batches that fit: the fewest pieces in which a batch can be played here, found before a run begins."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import gc
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from gan_lab.config import require_whole
from gan_lab.distributed.world import World
from gan_lab.engine.graphs import clear_workspaces
from gan_lab.engine.shortage import is_shortage
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.minibatch_deviation import MinibatchDeviation
from gan_lab.training.memory.available import available, size
from gan_lab.training.memory.dry_round import Line, dry_round, fit_line
from gan_lab.training.run import Run
from gan_lab.wrappers.batch_statistics import BatchStatistics
from gan_lab.wrappers.minibatch_stddev import MinibatchStandardDeviation

log = logging.getLogger(__name__)

Trial = Callable[[dict[str, Any]], Run]
AUTO = "auto"
# What stays free of what there is. CUDA counts everything, but breaks it up. On a CPU kernels take scratch memory, the
# C library keeps what was given back (rounds of r3gan took up to a third more than their tensors), threads have stacks.
MARGINS, MARGIN = {"cuda": 0.1}, 0.25
RESERVE = 128 * 2**20
WORKSPACE = 32 * 2**20  # of cuBLAS, on an H100; 4 MiB and 8 MiB on older cards
SIZES = ("batch_size", "accumulation")
OTHERWISE = "choose narrower networks (model.*.width), smaller images, or technique=activation_checkpointing"


class Asked(NamedTuple):
    """Batches of `total` images, in at least so many pieces; `key` asked for it."""

    total: int
    least: int
    key: str


class Choice(NamedTuple):
    """So many pieces: their round takes so many bytes of the `room` there is. Layers that couple the images of one."""

    pieces: int
    taken: int
    room: int
    coupled: list[str]


def choose_batch_size(config: dict[str, Any], trial: Trial) -> None:
    """Where `trainer.batch_size` or `trainer.accumulation` is `auto`: write the numbers into `config`, there and
    wherever they were referred to.

    The batch is as large as was asked (`trainer.batch_size`, or `trainer.total` where that is auto), cut into the
    fewest pieces whose round fits the memory that is there. Dry rounds of `trial(config)`, a run built for so many
    pieces, say so; the last of them is a whole round. A number of pieces with which no run can be built is passed over.

    Raises ConfigError for a total or a number of pieces that is none, GanLabError where nothing fits.
    """
    if AUTO not in (config["trainer"].get(name) for name in SIZES):
        return
    if World.of_default_group().size > 1:
        raise ConfigError("trainer.batch_size, trainer.accumulation: several processes need numbers, not auto")
    asked = _asked(config["trainer"])
    choice = _fewest_pieces(config, asked, trial)
    give_back(None)
    settled = _with_sizes(config, asked.total, choice.pieces)
    config.clear()
    config.update(settled)
    piece = asked.total // choice.pieces
    cut = "one piece" if choice.pieces == 1 else f"{choice.pieces} pieces of {piece}"
    note = f"; {' and '.join(choice.coupled)} sees pieces of {piece}" if choice.pieces > 1 and choice.coupled else ""
    taken = f"a round takes {size(choice.taken)} of the {size(choice.room)} that are there"
    log.info("memory   batches of %d in %s: %s%s", asked.total, cut, taken, note)


def _asked(trainer: Mapping[str, Any]) -> Asked:
    key = "total" if trainer["batch_size"] == AUTO else "batch_size"
    total: Any = trainer.get(key)
    least: Any = 1 if trainer["accumulation"] == AUTO else trainer["accumulation"]
    for name, value in ((key, total), ("accumulation", least)):
        require_whole(value, f"trainer.{name}")
    if total % least:
        raise ConfigError(f"trainer.accumulation: {least} does not divide trainer.{key}={total}")
    return Asked(total, least, "batch_size=auto" if key == "total" else "accumulation=auto")


def _with_sizes(config: dict[str, Any], total: int, pieces: int) -> dict[str, Any]:
    """A copy of the configuration with these numbers in the place of auto."""
    numbers = dict(zip(SIZES, (total, pieces), strict=True))

    def settled(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {name: settled(value, name) for name, value in node.items()}
        if isinstance(node, list):
            return [settled(value) for value in node]
        return numbers[key] if node == AUTO and key in numbers else copy.copy(node)

    changed: dict[str, Any] = settled(config)
    changed["trainer"]["accumulation"] = pieces  # also where a number was the least
    return changed


def _fewest_pieces(config: dict[str, Any], asked: Asked, trial: Trial) -> Choice:
    total, refusal, lines = asked.total, "", dict[int, Line | None]()
    run: Run | None = trial(_with_sizes(config, total, asked.least))  # one at a time is in memory
    assert run is not None
    # precision=auto may be decided by a stopwatch: what is tried and what is trained are to be the same
    config["precision"] = config["engine"]["precision"] = run.engine.precision
    coupled, unit, least = coupled_layers(run), unit_of(run, total), least_piece(run)
    room = available(run.engine.device)
    if room is None:
        raise ConfigError(f"trainer.{asked.key}: this system does not tell how much memory there is; give a number")
    limit = usable(room, run.engine.device) - kept_by_libraries(run.engine.device)
    for pieces in divisors(total, asked.least):
        piece, kind = total // pieces, min(pieces, 2)
        if pieces > asked.least and (piece % unit or piece < least):
            continue
        if kind not in lines and run is not None:
            lines[kind] = _line(run, kind, piece, limit, unit)
        if (found := lines.get(kind)) is None or found.of(piece, pieces) > limit:
            continue
        if pieces > asked.least:
            run = None
            give_back(None)
            try:
                run = trial(_with_sizes(config, total, pieces))
            except ConfigError as error:
                refusal = refusal or f" in one piece, and cannot be cut ({error})"
                continue
        assert run is not None
        taken = _whole_round(run, total, pieces, limit)
        if taken is not None:
            return Choice(pieces, taken, room, coupled)
    raise GanLabError(
        f"trainer.{asked.key}: no round of {total} images fits the {size(room)} that are there{refusal}; {OTHERWISE}"
    )


def _line(run: Run, kind: int, piece: int, limit: int, unit: int) -> Line | None:
    """None where not even the smallest rounds fit."""
    try:
        return fit_line(run, kind, piece, limit, unit)
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
    give_back(run)
    return None


def _whole_round(run: Run, total: int, pieces: int, limit: int) -> int | None:
    """What a round takes; None where that is too much."""
    try:
        taken = dry_round(run, total, pieces, limit, held=True)
        return taken if taken <= limit else None
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
    give_back(run)
    return None


def give_back(run: Run | None) -> None:
    """Give back whatever memory nobody needs, and the gradients of a run."""
    for network in run.algorithm.networks.values() if run is not None else ():
        network.zero_grad(set_to_none=True)
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc's: what it keeps of what was given back
        ctypes.CDLL(None).malloc_trim(0)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        clear_workspaces()
        torch.cuda.empty_cache()
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)


def kept_by_libraries(device: torch.device) -> int:
    """What cuBLAS takes for the stream of rounds, on the thread that plays and on that of backward passes, and keeps.
    Only the first dry round sees it come."""
    return 2 * WORKSPACE if device.type == "cuda" else 0


def usable(room: int, device: torch.device) -> int:
    """How much of the bytes that are there a round may take by its account."""
    if device.type in MARGINS:
        return round(room * (1 - MARGINS[device.type]))
    return round(room * (1 - MARGIN)) - RESERVE


def coupled_layers(run: Run) -> list[str]:
    """The layers in which the images of a piece see one another."""
    names = []
    for network in run.algorithm.networks.values():
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                names.append("BatchNorm")
            elif isinstance(module, BatchStatistics):
                names.append(type(module).__name__)
    return list(dict.fromkeys(names))


def least_piece(run: Run) -> int:
    """The fewest images of which a piece may consist: one has no statistics."""
    return 2 if coupled_layers(run) else 1


def unit_of(run: Run, total: int) -> int:
    """Whole packs, and whole groups of images that are compared where the batch has them, divide a piece."""
    modules = [module for network in run.algorithm.networks.values() for module in network.modules()]
    packs = [int(getattr(module, "images_per_score", 1)) for module in modules]
    comparing = (MinibatchStandardDeviation, MinibatchDeviation)
    groups = [module.group or 1 for module in modules if isinstance(module, comparing)]
    groups = [group for group in groups if total % group == 0]
    return math.lcm(*packs, *groups)


def divisors(total: int, least: int) -> Iterator[int]:
    """The numbers of equal pieces, from `least` on."""
    return (pieces for pieces in range(least, total + 1) if total % pieces == 0)
