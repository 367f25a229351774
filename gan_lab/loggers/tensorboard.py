"""TensorBoard event files: scalars, charts of them, histograms, pictures, the configuration, and the HParams tab."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_lab.command_line.overrides import read
from gan_lab.command_line.stored_overrides import may_change
from gan_lab.config import leaves
from gan_lab.loggers.base import Logger
from gan_lab.loggers.dashboard import bounds_of, layout, tag_of, tag_of_metric
from gan_lab.loggers.event_file import PREFIX, EventFile
from gan_lab.metrics.figure import Figure

SIDE = 512  # pixels: a browser blurs what it has to enlarge
BINS = 40
HPARAMS = ".hparams"  # the end of the name of the file with the records of that tab


class TensorBoard(Logger):
    """Event files in the run's own folder, whose name is the name of the run (a run of 0.5 or before goes on in its
    `tensorboard/`). Where they stand on the dashboard is told in `gan_lab.loggers.dashboard`."""

    def __init__(self) -> None:
        self._file: EventFile | None = None
        self._charted: list[tuple[str, bool]] = []  # the metrics that have a chart, and whether with an interval

    def open(self, folder: Path, step: int) -> None:
        old = folder / "tensorboard"
        self._file = EventFile(old if old.is_dir() else folder, step + 1 if step else 0)
        self._charted = []
        if not step or old.is_dir():
            self._lay_out([])

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        self._write(step, {tag_of(name): value for name, value in figures.items()})

    def metrics(self, step: int, figures: Sequence[Figure]) -> None:
        known = [figure for figure in figures if math.isfinite(figure.value)]
        values = {tag_of_metric(figure.name): figure.value for figure in known}
        for figure in known:
            if figure.spread is not None:
                lower, upper = bounds_of(figure)
                values |= {lower: figure.value - figure.spread, upper: figure.value + figure.spread}
        self._write(step, values)
        self._lay_out(known)

    def histogram(self, step: int, name: str, values: Tensor) -> None:
        from torch.utils.tensorboard.summary import histogram

        if self._file is not None:
            self._file.write(step, histogram(tag_of(name), values.numpy(), BINS))

    def image(self, step: int, name: str, picture: Tensor) -> None:
        from torch.utils.tensorboard.summary import image

        if self._file is not None:
            factor = max(1, math.ceil(SIDE / max(picture.shape[1:])))
            pixels = picture.numpy().repeat(factor, 1).repeat(factor, 2)
            self._file.write(step, image(tag_of(name), pixels, dataformats="CHW"))

    def text(self, step: int, name: str, text: str) -> None:
        from torch.utils.tensorboard.summary import text as summary

        if self._file is not None:
            self._file.write(step, summary(name, text))

    def hparams(self, step: int, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        """One session a run, in the run's own event files, so that runs under one folder compare in one table.

        The table's metrics are the run's own scalars, as they were last written. The first of torch's three records is
        left out: it names the columns of all runs, of which the reader takes one run's for all. Without it the columns
        are those that any run has, and what differs stands first.

        Of several such records of a run the reader keeps the first. So they have a file of their own, which a run that
        went on, perhaps with other settings, replaces.
        """
        from torch.utils.tensorboard.summary import hparams

        if self._file is None:
            return
        for path in self._file.folder.glob(f"{PREFIX}*{HPARAMS}"):
            path.unlink()
        _, began, ended = hparams(hyperparameters(config), {})
        file = EventFile(self._file.folder, step + 1, HPARAMS)
        file.write(step, began, ended)
        file.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, step: int, values: Mapping[str, float]) -> None:
        from torch.utils.tensorboard.summary import scalar

        if self._file is not None:
            self._file.write(step, *(scalar(tag, value) for tag, value in values.items()))

    def _lay_out(self, metrics: Sequence[Figure]) -> None:
        """Write the charts, unless they are those written last. Of step 0: a run that goes on keeps them."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG, create_summary_metadata

        charted = [(figure.name, figure.spread is not None) for figure in metrics]
        if self._file is None or (metrics and charted == self._charted):
            return
        charts = TensorProto(dtype=DT_STRING, string_val=[layout(metrics).SerializeToString()])
        value = Summary.Value(tag=CONFIG_SUMMARY_TAG, tensor=charts, metadata=create_summary_metadata())
        self._file.write(0, Summary(value=[value]))
        self._charted = charted


NAMES = ("dataset", "model", "loss")  # groups that always have a column
KEYS = ("seed", "optimizer.generator.lr")  # and settings that do: as many as the tab shows at first, five in all


def hyperparameters(config: Mapping[str, Any]) -> dict[str, float | str]:
    """The table's columns: what was chosen in the groups that matter, the seed and a few settings, and whatever was
    typed that makes it another game (how a run is watched does not).

    The tab shows only a few columns at first, those that differ before the others, so what every run has in common
    stays out of it (the whole configuration is in the Text tab).
    """
    choices = config.get("choices") or {}
    typed = [key for override in config.get("overrides") or [] if not _watches(key := read(override).key)]
    columns = {name: plain(choices[name]) for name in (*NAMES, *typed) if name in choices}
    settings = dict(leaves(config))
    for key in (*KEYS, *typed):
        if key in settings:
            columns.setdefault(key, plain(settings[key]))
    if "seed" in columns:
        columns["seed"] = str(settings["seed"])  # a name more than a number, which would be shown as 1.0000
    return columns


def _watches(key: str) -> bool:
    return may_change(key) and key not in ("trainer.max_steps", "optimizer.schedule.steps")


def plain(value: Any) -> float | str:
    """A setting as HParams takes it: a number, or words."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return value if isinstance(value, (int, float, str)) else str(value)
