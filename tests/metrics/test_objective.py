"""An objective that no training would have is refused before the first of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.metrics.evaluate import measure
from gan_lab.metrics.objective import FIGURES, METRICS, check_objective
from tests.metrics.test_evaluation import ALL, Copies, first


def config(objective: str, *metrics: str, every: int = 500) -> dict[str, Any]:
    nodes = {"metrics": {"every": every}, "health": {}}
    return {"objective": objective, "metrics": {name: {} for name in metrics}, "callbacks": nodes}


@pytest.mark.parametrize(
    ("objective", "metrics"),
    [
        ("fid", ("fid",)),
        ("recall", ("fid", "precision_recall")),
        ("fid/classifier-native-2000", ("fid",)),
        ("reverse_kl", ("modes",)),
        ("loss/generator", ()),
        ("images_per_second", ("fid",)),
        ("kidd", ("mine",)),  # who knows what it is called
    ],
)
def test_what_may_be(objective: str, metrics: tuple[str, ...]) -> None:
    check_objective(config(objective, *metrics))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (config("kid", "fid"), r"^objective: kid would not be taken; add it: 'metrics=\[fid,kid\]'$"),
        (config("recall/pixels-10", "fid"), r"add it: 'metrics=\[fid,precision_recall\]'$"),
        (config("fid", "fid", every=0), "^objective: fid is a metric, and none is taken; set callbacks.metrics.every"),
        (config("fdi", "fid"), "^objective: there is no figure fdi; nearest: fid$"),
        ({**config("fid", "fid"), "callbacks": {"metrics": None}}, "none is taken"),
        ({**config("fid"), "metrics": {"fid": None}}, "add it"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check_objective(given)


def test_every_metric_is_listed() -> None:
    """By the key of its YAML, and with the figures that come of it."""
    texts = [path.read_text() for path in (CONFIG_DIR / "metrics").glob("*.yaml")]
    assert sorted(METRICS) == sorted({name for text in texts for name in yaml.safe_load(text) if name != "defaults"})
    reference = first(60)
    keys = {"pr": "precision_recall", "dc": "density_coverage", "intra": "intra_class_fid", "memory": "memorisation"}
    for short in ("fid", "kid", "swd", *keys):
        name = keys.get(short, short)
        figures = measure(Copies(reference.data.store), reference, {short: ALL[short]}, 120, 0, {})
        assert tuple(figure.card["metric"] for figure in figures) == FIGURES.get(name, (name,))
