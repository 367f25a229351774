"""A few of each drill; `python -m tests.drills` plays many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.drills.children import End, one_line
from tests.drills.drills import DRILLS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.mark.whole
@pytest.mark.parametrize("name", DRILLS)
def test_nothing_is_lost(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path / "data"))
    (tmp_path / "play").mkdir()
    assert DRILLS[name].play(tmp_path / "play", DRILLS[name].few) == []


@pytest.mark.parametrize(
    ("end", "well"),
    [
        (End(1, "", "gan-lab train: /x: no space left\n"), True),
        (End(0, "", "gan-lab train: /x: no space left\n"), False),
        (End(-9, "", ""), False),
        (End(1, "", "gan-lab train: no space left\nTraceback\n"), False),
        (End(1, "", "gan-lab train: no\n"), False),
    ],
)
def test_what_counts_as_one_line(end: End, well: bool) -> None:
    assert (one_line(end, "no space left") == []) == well
