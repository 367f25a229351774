"""Memory that ran out, told in one line: at which step, what a round takes, what there is and what fits."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gan_lab.engine.shortage import is_shortage
from gan_lab.errors import GanLabError
from gan_lab.training.memory.available import available, size
from gan_lab.training.memory.batch_size import (
    OTHERWISE,
    divisors,
    give_back,
    least_piece,
    unit_of,
    usable,
)
from gan_lab.training.memory.dry_round import fit_line
from gan_lab.training.run import Run

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def explain_shortage_while_building(build: Callable[P, T]) -> Callable[P, T]:
    """Let a function that builds a run say in one line that memory ran out. Raises GanLabError then."""

    @functools.wraps(build)
    def building(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return build(*args, **kwargs)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            reason = " ".join(str(error).split())[:100]
            raise GanLabError(f"out of memory while the run was built ({reason}); {OTHERWISE}") from error

    return building


def explain_shortage(run: Run, play: Callable[[], None]) -> None:
    """Play a round and what watches it. Raises GanLabError when memory runs out; where that was is in the log's file.

    Frames of a traceback hold what they computed, so it is gone before anything is tried.
    """
    step = run.step
    short: BaseException | None = None
    try:
        play()
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        log.error("out of memory", exc_info=error)
        short = _without_frames(error)
    if short is not None:
        run.rounds.forget()  # what graphs hold is free for nobody else
        give_back(run)
        raise GanLabError(_in_words(run, between_rounds=run.step > step)) from short


def _without_frames(error: BaseException) -> BaseException:
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _in_words(run: Run, between_rounds: bool) -> str:
    batch, pieces = run.plan.batch_size // run.engine.world.size, run.plan.accumulation  # of this process
    if between_rounds:
        return f"out of memory after step {run.step}, between two rounds; more trainer.accumulation leaves more room"
    try:
        words, advice = _estimate(run, batch, pieces)
    except Exception:  # it must be told in any case
        words = f"pieces of {batch // pieces} images are too large"
        advice = "more trainer.accumulation takes less, or a smaller trainer.batch_size"
    return f"out of memory at step {run.step + 1}: {words}; {advice}"


def _estimate(run: Run, batch: int, pieces: int) -> tuple[str, str]:
    """What a round takes and what there is; what fits instead."""
    room, unit, least = available(run.engine.device), unit_of(run, batch), least_piece(run)
    assert room is not None
    limit = usable(room, run.engine.device)
    now = fit_line(run, min(pieces, 2), batch // pieces, limit, unit)
    taken = now.of(batch // pieces, pieces)
    words = f"a round of {batch} images takes about {size(taken)}, {size(room)} are there"
    if not run.algorithm.takes_pieces:
        sizes = range(batch // 2 // unit * unit, 0, -unit)
        fitting = next((images for images in sizes if now.of(images) <= limit), None)
        together = run.engine.world.size
        return words, OTHERWISE if fitting is None else f"trainer.batch_size={fitting * together} fits"
    cut = now if pieces > 1 else fit_line(run, 2, batch // 2, limit, unit)
    for more in divisors(batch, pieces + 1):
        piece = batch // more
        if piece % unit == 0 and piece >= least and cut.of(piece, more) <= limit:
            return words, (
                f"trainer.accumulation={more} (pieces of {piece} images) fits; or trainer.accumulation=auto finds it"
            )
    return words, f"no piece of it fits: {OTHERWISE}"
