"""One protocol for every detector: trained on some classes, tested on the whole test split, of which these are normal.

With one class it is the one-normal protocol of Deep SVDD (Ruff et al. 2018); with all but one, that of EGBAD and
GANomaly but for their own splits of the data. The two are never to be compared with each other. Nothing is chosen by
what is measured here: neither the round that is tested nor the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.command_line.table import table, terminal_width
from gan_lab.data.dataset import Dataset
from gan_lab.data.held_out import every_class, whole_test_split
from gan_lab.data.sources.selected import class_number
from gan_lab.data.store import Store
from gan_lab.detection.baselines import Baseline, NearestNeighbour, PrincipalComponents
from gan_lab.detection.normals import scores_of
from gan_lab.detection.ranking import Ranking, Scores, rank
from gan_lab.errors import ConfigError
from gan_lab.metrics.figure import Figure
from gan_lab.metrics.inputs import card_of
from gan_lab.sampling.detector import Detector

REPEATS = 1000  # resamples of an interval
Z = 1.959964  # standard errors from the middle of a normal distribution to the end of its middle 95%


TITLES = {"": "trained", "pca": "PCA, 40 components", "nearest": "nearest picture"}


class Part(NamedTuple):
    """Pictures to test with: those of a store at `places`, and which of them are anomalous."""

    store: Store
    split: str
    places: NDArray[np.int64]
    anomalous: NDArray[np.bool_]


class Row(NamedTuple):
    """What a detector comes to; `name` is empty for the run's own."""

    name: str
    ranking: Ranking


class Assessment(NamedTuple):
    """What was tested with, and a row for the run's detector and each that it has to beat."""

    parts: list[Part]
    normal: list[str]
    rows: list[Row]

    @property
    def pictures(self) -> int:
        """How many were tested with."""
        return sum(len(part.places) for part in self.parts)

    def lines(self) -> list[str]:
        """A table for people."""
        head = ("detector", "auroc", "95% interval", "auprc", "fpr95")
        rows = [(TITLES[name], *_shown(ranking)) for name, ranking in self.rows]
        return table(head, rows, terminal_width(), head[1:])

    def figures(self, about: Mapping[str, Any]) -> list[Figure]:
        """For the run's summary: `auroc/detector-10000`, beside it `auroc_pca/pixels-10000`."""
        return [figure for row in self.rows for figure in self._of(row, about)]

    def _of(self, row: Row, about: Mapping[str, Any]) -> list[Figure]:
        tag, suffix = ("pixels", f"_{row.name}") if row.name else ("detector", "")
        cards = [card_of(part.store, part.split) for part in self.parts]
        ranking = row.ranking
        card = {
            "settings": {"normal": self.normal, "anomalous": int(sum(part.anomalous.sum() for part in self.parts))},
            "reference": cards[0] if len(cards) == 1 else cards,
            "n": self.pictures,
            "extractor": tag,
            "resizer": "native",
            "weights": None,
            **about,
        }
        values = {
            "auroc": (ranking.auroc, (ranking.high - ranking.low) / (2 * Z), False),
            "auprc": (ranking.auprc, None, False),
            "fpr95": (ranking.fpr95, None, True),
        }
        return [
            Figure(f"{name}{suffix}/{tag}-{self.pictures}", value, spread, lower, {"metric": f"{name}{suffix}", **card})
            for name, (value, spread, lower) in values.items()
        ]


def _shown(found: Ranking) -> tuple[str, ...]:
    return f"{found.auroc:.4f}", f"{found.low:.4f} to {found.high:.4f}", f"{found.auprc:.4f}", f"{found.fpr95:.4f}"


def assess(detector: Detector, data: Dataset, normal: Sequence[str] | None = None) -> Assessment:
    """The detector of a run on all pictures to test with, beside the baselines, which know the images that it was
    trained on. Raises as `pictures_to_test`."""
    parts, names = pictures_to_test(data, normal)
    anomalous = np.concatenate([part.anomalous for part in parts])

    def row(name: str, scores: Scores) -> Row:
        return Row(name, rank(scores[~anomalous], scores[anomalous], REPEATS))

    rows = [row("", np.concatenate([scores_of(detector, part.store, part.places) for part in parts]))]
    if data.store.dtype == "uint8":
        known = np.array(data.store.images)
        baselines: list[Baseline] = [PrincipalComponents(), NearestNeighbour()]
        for baseline in baselines:
            baseline.fit(known)
            rows.append(
                row(baseline.name, np.concatenate([baseline(part.store.images[part.places]) for part in parts]))
            )
    return Assessment(parts, names, rows)


def pictures_to_test(data: Dataset, normal: Sequence[str] | None = None) -> tuple[list[Part], list[str]]:
    """The test split of the data, where there is one, all of it; else the share that is held out, and the images of the
    data's other classes. Normal are the classes `normal`, by name or number, or those that were trained on; their names
    come along.

    Raises ConfigError where the pictures have no labels, where a class is not there, and where all are normal or none.
    """
    wanted = data.store.classes if normal is None else list(map(str, normal))
    if not wanted:
        raise ConfigError("normal: the data has no classes; say which of the test pictures are normal: normal=[good]")
    test = whole_test_split(data)
    parts = _without_split(data, wanted) if test is None else [_labelled(test, "test", wanted)]
    anomalous = np.concatenate([part.anomalous for part in parts])
    if anomalous.all() or not anomalous.any():
        which = "none" if anomalous.all() else "all"
        raise ConfigError(
            f"normal: {which} of the {len(anomalous)} test pictures are of the classes {', '.join(wanted)}"
        )
    return parts, wanted


def _without_split(data: Dataset, wanted: Sequence[str]) -> list[Part]:
    if not data.selection.held_out:
        raise ConfigError(
            f"dataset.held_out: {data.name} has no test split, and no normal pictures are held out to test with; "
            "dataset.held_out=0.2"
        )
    every, rest = _labelled(every_class(data), "other classes", wanted), data.rest.store
    places = np.flatnonzero(every.anomalous)
    others = every._replace(places=places, anomalous=np.ones(len(places), bool))
    return [Part(rest, "held out", np.arange(len(rest)), np.zeros(len(rest), bool)), others]


def _labelled(data: Dataset, split: str, wanted: Sequence[str]) -> Part:
    store = data.store
    if store.labels is None or store.classes is None:
        raise ConfigError(f"normal: the pictures of {store.name} ({split}) have no labels, so nothing can be measured")
    numbers = [class_number(word, store.classes, "normal") for word in wanted]
    return Part(store, split, np.arange(len(store)), ~np.isin(store.labels, numbers))
