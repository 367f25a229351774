"""Every run that is broken on purpose is named right within 500 steps, and by nothing else; healthy ones are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import whole
from tests.health.broken import corpus, watched

NAMES = ["divergence", "discriminator_wins", "collapse", "one_class", "vanishing_gradient", "frozen", "no_variety"]


@pytest.mark.parametrize("name", [*NAMES, *whole(["discriminator_lost"])])
def test_broken(name: str, tmp_path: Path) -> None:
    run = watched(tmp_path, *corpus(tmp_path)[name])
    assert [alarm["name"] for alarm in run.alarms] == [name]
    assert all(alarm["step"] <= 500 for alarm in run.alarms)


@pytest.mark.parametrize("seed", [0, 1])
def test_healthy(seed: int, tmp_path: Path) -> None:
    assert watched(tmp_path, f"seed={seed}").alarms == []
