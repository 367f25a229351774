"""Loggers write figures, pictures and texts down in the background. One that fails is off; training goes on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_lab.metrics.figure import Figure
from gan_lab.storage.writer import Writer

log = logging.getLogger(__name__)


class Logger:
    """Every method may be left out. Constructors touch nothing; `open` does.

    All methods are called on one thread, which is not the one that trains; what they are given does not change any
    more. Torch's arithmetic does not belong on it (see `gan_lab.storage.writer.Writer`).
    """

    def open(self, folder: Path, step: int) -> None:
        """Begin in the run's folder after `step` steps; what was written of later steps is to be dropped."""

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Named figures of one step."""

    def metrics(self, step: int, figures: Sequence[Figure]) -> None:
        """Measured figures of one step, with their standard errors where known; by default they are scalars."""
        self.scalars(step, {figure.name: figure.value for figure in figures})

    def histogram(self, step: int, name: str, values: Tensor) -> None:
        """Finite numbers `(N,)`, on the CPU, for their distribution."""

    def image(self, step: int, name: str, picture: Tensor) -> None:
        """A uint8 picture `(3, H, W)`."""

    def text(self, step: int, name: str, text: str) -> None:
        """A text, in Markdown."""

    def hparams(self, step: int, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        """The run's settings with the figures it ended on."""

    def close(self) -> None:
        """Everything is on disk after this."""


class Loggers(Logger):
    """All of a run's loggers, none of which can stop it. Calls return at once; `writer` makes them, in their order."""

    def __init__(self, loggers: Mapping[str, Logger], writer: Writer) -> None:
        self._loggers = dict(loggers)
        self._writer = writer

    def _each(self, call: Callable[[Logger], None]) -> None:
        self._writer.submit(lambda: self._call(call))

    def _call(self, call: Callable[[Logger], None]) -> None:
        for name, logger in list(self._loggers.items()):
            try:
                call(logger)
            except Exception as error:
                del self._loggers[name]
                with contextlib.suppress(Exception):  # what it has open; it failed already
                    logger.close()
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                log.warning("logger.%s failed and is off from here on (%s); training goes on", name, reason)

    def open(self, folder: Path, step: int) -> None:
        self._each(lambda logger: logger.open(folder, step))

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        own = dict(figures)
        self._each(lambda logger: logger.scalars(step, own))

    def metrics(self, step: int, figures: Sequence[Figure]) -> None:
        own = list(figures)
        self._each(lambda logger: logger.metrics(step, own))

    def histogram(self, step: int, name: str, values: Tensor) -> None:
        self._each(lambda logger: logger.histogram(step, name, values))

    def image(self, step: int, name: str, picture: Tensor) -> None:
        self._each(lambda logger: logger.image(step, name, picture))

    def text(self, step: int, name: str, text: str) -> None:
        self._each(lambda logger: logger.text(step, name, text))

    def hparams(self, step: int, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        own = dict(figures)
        self._each(lambda logger: logger.hparams(step, config, own))

    def close(self) -> None:
        self._each(lambda logger: logger.close())
        self._writer.wait()
