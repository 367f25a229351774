"""The loop: rounds until the last step, with callbacks watching."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from gan_lab.callbacks.base import Callback
from gan_lab.errors import ConfigError
from gan_lab.health.rollback import roll_back
from gan_lab.interruption import Interruption
from gan_lab.run import Run
from gan_lab.shortage import told


class Trainer:
    """Plays rounds and counts them: one step is one generator update.

    `batch_size` is the number of real images per discriminator move, cut into `accumulation` pieces. A configuration
    may leave both to the memory there is (`gan_lab.fitting`), and then says by `total` how large the batch is to be.
    The intervals are in steps and belong to callbacks; 0 means never.
    """

    def __init__(
        self,
        max_steps: int,
        batch_size: int,
        accumulation: int = 1,
        log_every: int = 20,
        sample_every: int = 200,
        checkpoint_every: int = 500,
        checkpoint_keep: int = 3,
        total: int | None = None,
    ) -> None:
        for name, value, least in (
            ("max_steps", max_steps, 1),
            ("batch_size", batch_size, 1),
            ("accumulation", accumulation, 1),
            ("log_every", log_every, 0),
            ("sample_every", sample_every, 0),
            ("checkpoint_every", checkpoint_every, 0),
            ("checkpoint_keep", checkpoint_keep, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                auto = ", or auto" if name in ("batch_size", "accumulation") else ""
                raise ConfigError(f"trainer.{name}: {value!r} is not a whole number of at least {least}{auto}")
        if batch_size % accumulation:
            raise ConfigError(f"trainer.accumulation: {accumulation} does not divide trainer.batch_size={batch_size}")
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.accumulation = accumulation
        self.log_every = log_every
        self.sample_every = sample_every
        self.checkpoint_every = checkpoint_every
        self.checkpoint_keep = checkpoint_keep

    def fit(self, run: Run, callbacks: Sequence[Callback]) -> Interruption:
        """Play until `max_steps`, a callback's `stop_reason`, a signal or a failure.

        Callbacks hear of the end in every case. Everything is on disk when it returns or raises. What could not be
        written in the background is raised here.
        """
        with Interruption() as interruption, run.engine.working():
            try:
                for callback in callbacks:
                    callback.on_fit_start(run)
                run.restore_rng()
                while run.step < self.max_steps and interruption.signal is None and not run.stop_reason:
                    told(run, lambda: self._step(run, callbacks))
                    run.writer.check()
                run.outcome = "finished" if run.last_step or run.stop_reason else "stopped"
                for callback in callbacks:
                    callback.on_fit_end(run)
                run.writer.flush()
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
        return interruption

    def _step(self, run: Run, callbacks: Sequence[Callback]) -> None:
        self.round(run)
        for callback in callbacks:
            callback.on_step_end(run)
        if run.rollback is not None:
            roll_back(run, callbacks)

    def round(self, run: Run) -> None:
        """One step: schedules, batches, moves, average."""
        run.metrics = run.rounds.play(run.step)
        run.step += 1
        run.images_seen += self.batch_size * run.algorithm.batches_per_round
