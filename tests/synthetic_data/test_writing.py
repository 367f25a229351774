"""Class folders that say what made them, whole or not there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.synthetic_data import writing
from gan_lab.synthetic_data.making import Made
from gan_lab.synthetic_data.writing import check_out, folders_of, write_images


def made(*values: int, places: list[int], confidence: list[float] | None = None) -> Made:
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    sure = None if confidence is None else torch.tensor(confidence)
    return Made(images, torch.tensor(places), sure, 10, len(values))


def test_folders_and_lines(tmp_path: Path) -> None:
    run, out = tmp_path / "runs" / "today", tmp_path / "deep" / "out"
    run.mkdir(parents=True)
    checkpoint = run / "step.pt"
    checkpoint.write_bytes(b"weights")
    both = {"a/b": made(1, 2, places=[0, 7], confidence=[0.5, 0.75]), "c": made(3, places=[4]), "none": made(places=[])}
    write_images(out, both, checkpoint, run, 5, 9, {"truncation": None})
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        *("a_b", "a_b/00000.png", "a_b/00001.png", "c", "c/00000.png", "synthetic.jsonl")
    ]
    lines = [json.loads(line) for line in (out / "synthetic.jsonl").read_text().splitlines()]
    digest = hashlib.sha256(b"weights").hexdigest()
    common = {"run": "runs/today", "checkpoint": "step.pt", "sha256": digest, "step": 5, "seed": 9, "truncation": None}
    assert lines == [
        {"file": "a_b/00000.png", "label": "a/b", "index": 0, "confidence": 0.5, **common},
        {"file": "a_b/00001.png", "label": "a/b", "index": 7, "confidence": 0.75, **common},
        {"file": "c/00000.png", "label": "c", "index": 4, "confidence": None, **common},
    ]
    for line, value in zip(lines, (1, 2, 3), strict=True):
        with Image.open(out / line["file"]) as image:
            assert np.asarray(image).tolist() == [[value] * 4] * 4
            assert image.text["gan-lab:seed"] == "9"
    with pytest.raises(ConfigError, match="is there already, and not empty"):
        check_out(out)


def test_names_of_folders() -> None:
    assert folders_of(["cat", "a/b", "a:b", "A_b", "..", ""]) == {
        "cat": "cat", "a/b": "a_b", "a:b": "a_b_", "A_b": "A_b__", "..": "_", "": "__",
    }  # fmt: skip


def test_nothing_is_left_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*of: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_text", full)
    (tmp_path / "c.pt").write_bytes(b"")
    with pytest.raises(GanLabError, match="cannot be written \\(No space left on device\\)"):
        write_images(tmp_path / "out", {"c": made(3, places=[4])}, tmp_path / "c.pt", tmp_path, 5, 9, {})
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]


def test_where_it_may_go(tmp_path: Path) -> None:
    check_out(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_out(tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is there already"):
        check_out(tmp_path / "file")
