"""What changes over a run. A `Schedule` multiplies the learning rates, a `Ramp` moves any number from here to there.

Pure functions of `step`, the rounds already played, or of the real images shown in them (nothing to save, nothing to
resume). Past the last step they stay where they ended.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from gan_lab.errors import ConfigError


class Schedule(ABC):
    """A factor for every step."""

    @abstractmethod
    def factor(self, step: int) -> float:
        """What to multiply the base learning rate by in the round after `step` rounds."""


class Constant(Schedule):
    """The base rate, always."""

    def factor(self, step: int) -> float:
        return 1.0


class LinearDecay(Schedule):
    """1 for the first `start` (a fraction) of `steps` rounds, then a straight line to `end_factor` at the end.

    start=0, end_factor=0 is the decay of Gulrajani et al. 2017 (arXiv:1704.00028); start=0.5 is CycleGAN's.
    Raises ValueError for `steps` below 1, `start` outside [0, 1) or a negative `end_factor`.
    """

    def __init__(self, steps: int, start: float = 0.0, end_factor: float = 0.0) -> None:
        _check(steps, end_factor)
        if not 0.0 <= start < 1.0:
            raise ValueError(f"start is a fraction of the run in [0, 1), not {start}")
        self.steps, self.start, self.end_factor = steps, start * steps, end_factor

    def factor(self, step: int) -> float:
        done = min(max((step - self.start) / (self.steps - self.start), 0.0), 1.0)
        return 1.0 + done * (self.end_factor - 1.0)


class Cosine(Schedule):
    """A linear warm-up over the first `warmup` (a fraction) of `steps` rounds, then half a cosine to `end_factor`.

    Loshchilov & Hutter 2016 (arXiv:1608.03983, equation 5, without restarts). The first round of a warm-up over w
    rounds has factor 1/w, never 0. Raises ValueError for `steps` below 1, `warmup` outside [0, 1) or a negative
    `end_factor`.
    """

    def __init__(self, steps: int, warmup: float = 0.0, end_factor: float = 0.0) -> None:
        _check(steps, end_factor)
        if not 0.0 <= warmup < 1.0:
            raise ValueError(f"warmup is a fraction of the run in [0, 1), not {warmup}")
        self.steps, self.warmup, self.end_factor = steps, math.floor(warmup * steps), end_factor

    def factor(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = min((step - self.warmup) / (self.steps - self.warmup), 1.0)
        return self.end_factor + (1.0 - self.end_factor) * 0.5 * (1.0 + math.cos(math.pi * done))


class MultiStep(Schedule):
    """`factor` times as much from each of `at` on, fractions of what lies between round `begin` and round `steps`.

    ESRGAN's (arXiv:1809.00219): half at 1/8, 1/4, 1/2 and 3/4; an `at` of 0 is `begin` itself, where a second stage has
    another rate. Raises ValueError for `steps` below 1, a negative `begin`, fractions outside [0, 1) or not in order,
    and a `factor` that is not positive.
    """

    def __init__(self, steps: int, at: Sequence[float], factor: float = 0.5, begin: int = 0) -> None:
        _check(steps, 0.0)
        if begin < 0:
            raise ValueError(f"begin must be at least 0, not {begin}")
        if any(not 0 <= place < 1 for place in at) or list(at) != sorted(at):
            raise ValueError(f"at must be fractions of the run in [0, 1), in order, not {list(at)}")
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"factor must be a positive number, not {factor}")
        self.steps, self.at, self.begin = steps, list(at), begin
        self._factor = factor

    def factor(self, step: int) -> float:
        done = (step - self.begin) / max(self.steps - self.begin, 1)
        return float(self._factor ** sum(done >= place for place in self.at))


class InverseTime(Schedule):
    """1 / (1 + decay t) after t rounds: AdaIN's (arXiv:1703.06868, code: `lr_decay` 5e-5). Raises ValueError for a
    negative `decay`."""

    def __init__(self, decay: float) -> None:
        if not (math.isfinite(decay) and decay >= 0):
            raise ValueError(f"decay must be a number of at least 0, not {decay}")
        self.decay = decay

    def factor(self, step: int) -> float:
        return 1.0 / (1.0 + self.decay * step)


class Ramp:
    """Moves a number from `start` (None: the configured value) to `end`, over `steps` rounds after `begin`.

    With `unit` "images" both are counted in real images shown to the discriminator, as papers do: the curve over images
    is then the same for every batch size.

    Which number is said by where it stands: `loss.regularizers.r1.schedule.weight`, `optimizer.generator.schedule.lr`,
    `optimizer.discriminator.schedule.betas.1`, `algorithm.ema.schedule.decay`, ... Under the key `schedules`, which is
    for whatever else is to change, `settings` are the dotted keys of the numbers that it moves. `shape`: `linear`,
    `cosine` (half a cosine, flat at both ends) or `exponential` (equal ratios; both ends positive). Raises ValueError
    otherwise.
    """

    SHAPES = ("linear", "cosine", "exponential")
    UNITS = ("rounds", "images")

    def __init__(
        self,
        end: float,
        steps: int,
        start: float | None = None,
        begin: int = 0,
        shape: str = "linear",
        settings: Sequence[str] = (),
        unit: str = "rounds",
    ) -> None:
        if unit not in self.UNITS:
            raise ValueError(f"unit must be one of {', '.join(self.UNITS)}, not {unit!r}")
        if shape not in self.SHAPES:
            raise ValueError(f"shape must be one of {', '.join(self.SHAPES)}, not {shape!r}")
        if steps < 1 or begin < 0:
            raise ValueError(f"steps must be at least 1 and begin at least 0, not {steps} and {begin}")
        if isinstance(settings, str):
            raise ValueError("settings must be a list of keys, e.g. [loss.regularizers.r1.weight]")
        for name, value in (("start", start), ("end", end)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, not {value}")
        self.settings = list(settings)
        self.start, self.end = start, end
        self.begin, self.steps, self.shape, self.unit = begin, steps, shape, unit

    def value(self, step: int, configured: float, images: int = 0) -> float:
        """The number for the round after `step` rounds, in which so many `images` were shown; `configured` is what the
        configuration says."""
        start = configured if self.start is None else self.start
        passed = images if self.unit == "images" else step
        done = min(max((passed - self.begin) / self.steps, 0.0), 1.0)
        if self.shape == "exponential":
            if start <= 0 or self.end <= 0:
                raise ConfigError(f"schedules: exponential needs positive ends, not {start} and {self.end}")
            return float(start * (self.end / start) ** done)
        if self.shape == "cosine":
            done = 0.5 - 0.5 * math.cos(math.pi * done)
        return start + done * (self.end - start)


def _check(steps: int, end_factor: float) -> None:
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if not (math.isfinite(end_factor) and end_factor >= 0):
        raise ValueError(f"end_factor must be a finite number of at least 0, not {end_factor}")
