"""What `gan-lab doctor` says of a machine, line by line."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gan_lab.config import build
from gan_lab.health import machine
from tests.compose import composed

Usage = namedtuple("Usage", "total used free")


def test_all_is_well_here(own_data_root: Path, tmp_path: Path) -> None:
    build(composed("dataset=digits")["dataset"], "dataset").open()
    lines = machine.report_machine("cpu", "fp32", tmp_path)
    assert all(line.split()[0] in ("ok", "note") for line in lines[:-1]), lines
    assert lines[-1] == "ready: gan-lab train"
    text = "\n".join(lines)
    for told in (f"torch {torch.__version__.partition('+')[0]}", "precision fp32 (as asked)", "digits (1797)"):
        assert told in text
    assert str(own_data_root) in text


def test_why_a_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_lab.engine.precision.may_have_units", lambda: True)
    monkeypatch.setattr("gan_lab.engine.precision.remembered_gain", lambda: 2.0)
    text = "\n".join(machine.computing("cpu", "auto"))
    assert "precision bf16 (bf16 runs a convolution 2x as fast as fp32 on this CPU)" in text


def test_a_device_that_is_not_there() -> None:
    assert machine.computing("cuda:77", "auto")[-1].startswith("bad  device     device: 'cuda:77' cannot be used here")


@pytest.mark.parametrize(("cards", "compiler", "told"), [(1, None, True), (1, "clang", False), (0, None, False)])
def test_a_card_without_a_compiler(
    cards: int, compiler: str | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = SimpleNamespace(name="a card", total_memory=80e9, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: about)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (40e9, 80e9))
    monkeypatch.setattr(shutil, "which", lambda name: name if name == compiler else None)
    lines = machine.computing("cpu", "fp32")
    assert any(line.startswith("note compiler   none: ") for line in lines) == told


def test_too_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 9)
    monkeypatch.setattr(machine, "available", lambda: {0, 1})
    assert machine.computing("cpu", "fp32")[-1] == (
        "bad  threads    9 of torch on 2 cores: they stand in each other's way; engine.threads=2"
    )


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "not" / "yet"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 5 * 10**11))
    assert machine.room("runs", below, "elsewhere") == f"ok   runs       {below}: 500.0 GB free"
    assert not below.exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**9))
    assert machine.room("runs", below, "elsewhere") == f"bad  runs       {below}: 1.0 GB free: elsewhere"
    (tmp_path / "file").touch()
    assert machine.room("runs", tmp_path / "file", "elsewhere").endswith("cannot be written; elsewhere")


def test_what_is_missing_is_told_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "NEEDED", ("torch", "no-such-package"))
    monkeypatch.setattr(machine, "OPTIONAL", {"no_such_module.at_all": ("this", "pip install it"), "json": ("", "")})
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path))
    assert machine.packages()[-1] == "bad  packages   no-such-package missing: pip install no-such-package"
    assert machine.optional() == ["ok   optional   json", "note optional   no at_all (this): pip install it"]
    assert machine.data() == ["note data       nothing is packed yet; digits, ring and grid come with the package"]
    assert machine.weights()[0].startswith("note weights    extractor=inception has no weights: copy pt_inception")
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "card.json").write_text("{")
    assert machine.data()[-1].startswith("bad  data       store ")
