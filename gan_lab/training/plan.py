"""How long a run is, of what batches, and how often it is looked at."""

from __future__ import annotations

import math

from gan_lab.config import require_whole
from gan_lab.errors import ConfigError


class Plan:
    """`max_steps` rounds, or as many as `max_minutes` allow (None: any); one step is one generator update.

    `batch_size` is the number of real images per discriminator move, cut into `accumulation` pieces. A configuration
    may leave both to the memory there is (`gan_lab.training.memory.batch_size`), and then says by `total` how large the
    batch is to be. The intervals are in steps and belong to callbacks; 0 means never.
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
        max_minutes: float | None = None,
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
            require_whole(
                value, f"trainer.{name}", least, ", or auto" if name in ("batch_size", "accumulation") else ""
            )
        if batch_size % accumulation:
            raise ConfigError(f"trainer.accumulation: {accumulation} does not divide trainer.batch_size={batch_size}")
        whole = isinstance(max_minutes, (int, float)) and not isinstance(max_minutes, bool)
        if max_minutes is not None and not (whole and math.isfinite(max_minutes) and max_minutes > 0):
            raise ConfigError(f"trainer.max_minutes: {max_minutes!r} is not a number of minutes above 0, or null")
        self.max_steps = max_steps
        self.max_minutes = max_minutes
        self.batch_size = batch_size
        self.accumulation = accumulation
        self.log_every = log_every
        self.sample_every = sample_every
        self.checkpoint_every = checkpoint_every
        self.checkpoint_keep = checkpoint_keep
