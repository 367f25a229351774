"""TensorBoard event files: scalars, pictures, the configuration as text, and the HParams tab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

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


PARTS = ("seed", "precision", "trainer", "optimizer", "loss", "algorithm", "model", "dataset", "augmentation")
ASIDE = ("_partial_", "log_every", "sample_every", "checkpoint_every", "checkpoint_keep")


def hyperparameters(config: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """The settings that make one run another, the chosen names (model, dataset, loss) first: the table's columns."""
    columns = {name: plain(choice) for name, choice in (config.get("choices") or {}).items()}
    for part in PARTS:
        for key, value in leaves({part: config.get(part)}):
            if not key.endswith(ASIDE):
                columns.setdefault(key.removesuffix("._target_"), plain(value))
    return columns


def plain(value: Any) -> bool | int | float | str:
    """A setting as HParams takes it."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)
