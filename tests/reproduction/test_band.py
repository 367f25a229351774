"""Bands: what lies inside, and what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.reproduction.band import Band


@pytest.mark.parametrize(
    ("band", "inside", "outside"),
    [
        ({"at_most": 9}, [9, 8.99, -1.0], [9.01, 100]),
        ({"at_least": 10}, [10, 11.5], [9.99, 0]),
        ({"at_least": 1, "at_most": 2}, [1, 1.5, 2], [0.99, 2.01]),
    ],
)
def test_both_ends_belong_to_it(band: dict[str, Any], inside: list[float], outside: list[float]) -> None:
    read = Band.read("fid", band, "here")
    assert [read.holds(figure) for figure in inside] == [True] * len(inside)
    assert [read.holds(figure) for figure in outside] == [False] * len(outside)
    assert not any(map(read.holds, (None, float("nan"), True, "8")))


def test_in_words() -> None:
    assert str(Band("fid", at_most=9.0)) == "fid <= 9"
    assert str(Band("modes", at_least=10)) == "modes >= 10"
    assert str(Band("fid", 1, 2.5)) == "1 <= fid <= 2.5"
    assert Band("fid", at_most=9, value=6.6123, spread=0.412).measured == "fid 6.612 ± 0.41"
    assert Band("fid", at_most=9, value=6.6).measured == "fid 6.6"
    assert Band("fid", at_most=9).measured == ""


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (9, "here: 9 is not a band"),
        ({"at_mots": 9}, "is not a band"),
        ({"value": 6.6}, "here: has no bound; give at_most"),
        ({"at_most": "9"}, "here.at_most: '9' is not a number"),
        ({"at_most": True}, "here.at_most: True is not a number"),
        ({"at_most": float("nan")}, "here.at_most: nan is not a number"),
        ({"at_least": 3, "at_most": 2}, "here: no figure is at least 3 and at most 2"),
    ],
)
def test_what_is_no_band(node: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Band.read("fid", node, "here")


@pytest.mark.parametrize("path", sorted((CONFIG_DIR / "experiment").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_was_measured_lies_in_its_own_band(path: Path) -> None:
    """Of every recipe that says what came of it, and with what the seeds differ by."""
    figures = yaml.safe_load(path.read_text()).get("expected", {}).get("figures", {})
    for metric, node in figures.items():
        band = Band.read(metric, node, path.stem)
        if band.value is not None:
            assert band.holds(band.value), f"{metric}: {node}"
            assert band.holds(band.value + (band.spread or 0)), f"{metric}: {node}"
            assert band.holds(band.value - (band.spread or 0)), f"{metric}: {node}"
