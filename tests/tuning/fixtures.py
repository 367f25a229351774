"""Trainings that take no time, and an empty folder to work in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gan_lab.jobs import supervisor, training


@pytest.fixture
def fake(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trainer replaced by `tests/tuning/fake.py`; returns the empty working directory."""
    monkeypatch.setattr(training, "COMMAND", (sys.executable, str(Path(__file__).with_name("fake.py"))))
    monkeypatch.setattr(supervisor, "SECONDS", 0.02)
    return here
