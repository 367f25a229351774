"""What a detector is worth at the end of its training, and the scores of held-out normal pictures, kept in the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from gan_lab.config import require_number
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.detection.normals import score_normals
from gan_lab.detection.protocol import assess
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.detector import Detector
from gan_lab.training.callback import Callback, secondary
from gan_lab.training.run import Run

log = logging.getLogger(__name__)


class Detection(Callback):
    """Of a run whose networks detect: writes the scores of normal pictures that it was not trained on into
    `detector.json`, with the threshold below which the share `quantile` of them lies, and unless `measure` is false
    tests it on the test split, where the classes `normal` are normal, or those that were trained on. Both once, after
    the last round: no round is chosen by them. Where nothing is held out (`dataset.held_out`) there is no threshold,
    which is a warning. Other runs it leaves alone.

    Raises ConfigError for a quantile that is no share.
    """

    def __init__(self, quantile: float = 0.95, measure: bool = True, normal: Sequence[str | int] | None = None) -> None:
        if not 0 < require_number(quantile, "callbacks.detection.quantile") <= 1:
            raise ConfigError(f"callbacks.detection.quantile: {quantile} is no share; above 0 and up to 1")
        self.quantile, self.measure, self.normal = quantile, measure, normal

    def on_fit_start(self, run: Run) -> None:
        if run.sampler().detector is None:
            return
        data = build_dataset(run.config["dataset"], run.store)
        if not data.selection.held_out:
            log.warning("detector: no threshold can be taken, since no pictures are held out; dataset.held_out=0.1")
            return
        with secondary("packing the pictures that are held out"):
            run.unless_interrupted(lambda: log.info("detector   %d normal pictures are held out", len(data.rest.store)))

    def on_step_end(self, run: Run) -> None:
        detector = run.sampler().detector if run.ending else None
        if detector is None:
            return
        data = build_dataset(run.config["dataset"], run.store)
        if data.selection.held_out:
            with secondary("taking the threshold of held-out pictures"):
                score_normals(detector, data, run.step).write(run.folder, self.quantile)
        if self.measure:
            with secondary("testing the detector"):
                self._measure(run, detector, data)

    def _measure(self, run: Run, detector: Detector, data: Dataset) -> None:
        try:
            found = assess(detector, data, None if self.normal is None else list(map(str, self.normal)))
        except GanLabError as error:
            log.info("detector   is not measured: %s", error)
            return
        run.measured = {**run.measured, **{figure.name: figure for figure in found.figures({"step": run.step})}}
        for line in found.lines():
            log.info("%s", line)
