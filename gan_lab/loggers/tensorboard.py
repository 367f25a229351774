"""TensorBoard event files: scalars, pictures, the configuration as text, and the HParams tab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gan_lab.command_line.overrides import read
from gan_lab.config import leaves
from gan_lab.loggers.base import Logger

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Logger):
    """Event files in `tensorboard/`. A resumed run marks the steps it will play again as void (`purge_step`)."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None

    def open(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1 if step else 0)

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)

    def image(self, step: int, name: str, picture: Tensor) -> None:
        if self._writer is not None:
            self._writer.add_image(name, picture, step)

    def text(self, step: int, name: str, text: str) -> None:
        if self._writer is not None:
            self._writer.add_text(name, text, step)

    def hparams(self, step: int, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        """One session a run, in the run's own event files, so that runs under one folder compare in one table.

        The table's metrics are the run's own scalars, as they were last written.
        """
        if self._writer is None or self._writer.file_writer is None:
            return
        from torch.utils.tensorboard.summary import hparams

        for summary in hparams(hyperparameters(config), dict(figures)):
            self._writer.file_writer.add_summary(summary)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


NAMES = ("dataset", "model", "loss", "optimizer")  # groups that always have a column


def hyperparameters(config: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """The table's columns: what was chosen in the groups that matter, the seed, and every setting that was typed.

    The tab shows columns by name and only a few at first, so what every run has in common stays out of it (the whole
    configuration is in the Text tab).
    """
    choices = config.get("choices") or {}
    typed = [read(override).key for override in config.get("overrides") or []]
    columns = {name: plain(choices[name]) for name in (*NAMES, *typed) if name in choices}
    settings = dict(leaves(config))
    for key in ("seed", *typed):
        if key in settings:
            columns.setdefault(key, plain(settings[key]))
    return columns


def plain(value: Any) -> bool | int | float | str:
    """A setting as HParams takes it."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)
