"""What a run's files tell, whatever state they are in: nothing raises, and what cannot be read is said."""

from __future__ import annotations

import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gan_lab.records.record import Record
from gan_lab.records.sweep import results_of

CONFIG = "objective: fid\nchoices: {model: gan, dataset: digits}\noverrides: [seed=1]\n"
SUMMARY: dict[str, Any] = {"state": "finished", "step": 4, "figures": {"loss/generator": 1.0}, "metrics": {}}
YAML, JSON = "config.yaml cannot be read", "summary.json cannot be read"


def run(folder: Path, config: bytes | None = CONFIG.encode(), summary: bytes | None = b"") -> Path:
    folder.mkdir(exist_ok=True)
    if config is not None:
        (folder / "config.yaml").write_bytes(config)
    if summary is not None:
        (folder / "summary.json").write_bytes(summary or json.dumps(SUMMARY).encode())
    return folder


@pytest.mark.parametrize(
    ("config", "summary", "damage"),
    [
        (CONFIG.encode(), b"", ""),
        (b"a: [1, {", b"", YAML),
        (b"- 1\n- 2\n", b"", YAML),
        (b"a: \xe9\xff", b"", YAML),
        (b"", b"", YAML),
        (CONFIG.encode(), b"{", JSON),
        (CONFIG.encode(), b"[1]", JSON),
        (CONFIG.encode(), bytes(range(256)), JSON),
        (CONFIG.encode(), None, ""),
        (None, b"", ""),
    ],
)
def test_what_cannot_be_read_is_said(config: bytes | None, summary: bytes | None, damage: str, tmp_path: Path) -> None:
    record = Record(run(tmp_path, config, summary), "run")
    assert record.damage == damage
    assert record.facts(["fid", "optimizer.lr"])["error"] == (damage or None)


@pytest.mark.parametrize("name", ["config.yaml", "summary.json"])
def test_a_folder_in_the_place_of_a_file(name: str, tmp_path: Path) -> None:
    (run(tmp_path) / name).unlink()
    (tmp_path / name).mkdir()
    assert Record(tmp_path, "run").damage == f"{name} cannot be read"


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    run(tmp_path)
    for place, name in ((os, "listdir"), (Path, "stat"), (Path, "read_text")):
        monkeypatch.setattr(place, name, refuse)
    record = Record(tmp_path, "run")
    assert (record.damage, record.state) == ("the folder cannot be read", "damaged")


@pytest.mark.parametrize(
    ("summary", "wanted"),
    [
        ({}, {}),
        ({"figures": [1, 2], "metrics": "x"}, {}),
        ({"figures": {"a": 1.0}, "metrics": {"fid/x": {"value": 2.0}, "kid/y": 3}}, {"a": 1.0, "fid/x": 2.0}),
        ({"figures": {"data/wait_share": 0.5, "memory/peak": 7}}, {"system/wait_share": 0.5, "system/memory_peak": 7}),
    ],
)
def test_figures_by_todays_names(summary: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert results_of(summary) == wanted


def test_a_figure_of_null_is_no_number() -> None:
    assert math.isnan(results_of({"metrics": {"fid/x": {"value": None}}})["fid/x"])


def test_a_run_of_0_4_1(here: Path) -> None:
    with zipfile.ZipFile(Path(__file__).parents[1] / "stored" / "run-0.4.1.zip") as archive:
        archive.extractall(here)
    record = Record(here / "run041", "run041")
    assert (record.damage, record.state, record.get("model"), record.get("step")) == ("", "finished", "cgan", 4)
    assert record.get("images/s") == record.get("images_per_second") > 0
    assert not {"images_per_second", "data/wait_share", "memory/peak"} & set(record.figures)
