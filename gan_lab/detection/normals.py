"""The scores of normal pictures that nobody trained on, and the threshold that they give: kept in the run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.dataset import Dataset
from gan_lab.data.store import Store
from gan_lab.detection.ranking import Scores, threshold_of
from gan_lab.errors import ConfigError
from gan_lab.sampling.detector import Detector
from gan_lab.storage.files import read_json, write_json

FILE = "detector.json"
AT_ONCE = 256  # pictures


class Normals(NamedTuple):
    """`scores` of held-out normal pictures by the networks of `step`, in order."""

    step: int
    scores: list[float]

    def threshold(self, quantile: float) -> float:
        """The score that the share `quantile` of them does not exceed."""
        return threshold_of(np.array(self.scores), quantile)

    def share_below(self, score: float) -> float:
        """How many of them have a score of at most that, as a share: 0.99 is rarer than 0.5."""
        return float(np.searchsorted(self.scores, score, "right") / len(self.scores))

    def write(self, run: Path, quantile: float) -> None:
        told = {"step": self.step, "quantile": quantile, "threshold": self.threshold(quantile)}
        write_json(run / FILE, {**told, "count": len(self.scores), "scores": self.scores})

    @classmethod
    def read(cls, run: Path) -> Normals | None:
        """Those that a run keeps; None where it keeps none."""
        found = read_json(run / FILE)
        return cls(int(found["step"]), [float(score) for score in found["scores"]]) if found.get("scores") else None


def score_normals(detector: Detector, data: Dataset, step: int) -> Normals:
    """Of the share of the data that is not trained on. Raises ConfigError where nothing is held out."""
    if not data.selection.held_out:
        raise ConfigError(
            "dataset.held_out: a threshold needs normal pictures that are not trained on; dataset.held_out=0.1 keeps a "
            "tenth of them"
        )
    return Normals(step, sorted(scores_of(detector, data.rest.store).tolist()))


def scores_of(detector: Detector, store: Store, places: NDArray[np.int64] | None = None) -> Scores:
    """Of the images of a store at these places (None: all), in that order, `(N,)`."""
    places = np.arange(len(store)) if places is None else places
    parts = [places[start : start + AT_ONCE] for start in range(0, len(places), AT_ONCE)]
    return np.concatenate([detector(store.read(part)).scores.double().numpy() for part in parts])
