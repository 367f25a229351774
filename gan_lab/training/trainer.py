"""The loop: rounds until the last step, with callbacks watching."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence

from gan_lab.distributed.missing import explain_missing
from gan_lab.training.agreement import agree
from gan_lab.training.callback import Callback
from gan_lab.training.interruption import Interruption
from gan_lab.training.memory.shortage import explain_shortage
from gan_lab.training.rollback import roll_back
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


def fit(run: Run, callbacks: Sequence[Callback], heard: Callable[[str], None] | None = None) -> Interruption:
    """Play until `max_steps`, a callback's `stop_reason`, a signal or a failure.

    Callbacks hear of the end in every case. Everything is on disk when it returns or raises. What could not be
    written in the background is raised here. Of several processes the first has the callbacks, the others do what it
    decides, and all return when it has written everything. `heard` is told the name of a signal.
    """
    with Interruption(heard, run.engine.world.size == 1) as interruption, run.engine.own_stream():
        run.unless_interrupted = interruption.unless_interrupted
        try:
            begin(run)
            for callback in callbacks:
                callback.on_fit_start(run)
            with explain_missing():
                while not run.ending and interruption.signal is None:
                    explain_shortage(run, lambda: step(run, callbacks, interruption))
                    run.writer.check()
            run.outcome = "finished" if run.ending else "stopped"
            for callback in callbacks:
                callback.on_fit_end(run)
            run.writer.flush()
            with explain_missing():
                run.engine.world.barrier()
        except BaseException as error:
            run.outcome = "failed"
            run.error = " ".join(f"{type(error).__name__}: {error}".split())
            for callback in callbacks:
                with contextlib.suppress(Exception):  # the first failure is the one to report
                    callback.on_fit_end(run)
            raise
        finally:
            run.loggers.close()
            run.writer.close()
            run.stream.close()
            run.rounds.forget()  # a run lies in circles: what its graphs hold would be there until Python collects
    return interruption


def begin(run: Run) -> None:
    """Enter the stage of the first round, before anybody looks, and say what the run is too short for."""
    run.rounds.begin(run.images_seen)
    rounds, shown = run.plan.max_steps - run.step, run.plan.batch_size * run.algorithm.batches_per_round
    shortfall = run.algorithm.shortfall(run.images_seen + rounds * shown, run.plan.max_steps)
    if shortfall is not None:
        log.warning("%s", shortfall)


def step(run: Run, callbacks: Sequence[Callback], interruption: Interruption) -> None:
    """One round, whoever watches it, and what comes of that."""
    run.play()
    for callback in callbacks:
        callback.on_step_end(run)
    for callback in callbacks:
        callback.after_step(run)
    if run.engine.world.size > 1:
        agree(run, interruption)
    if run.rollback is not None:
        roll_back(run, callbacks)
