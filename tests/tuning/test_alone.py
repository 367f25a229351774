"""One process at a time in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.errors import GanLabError
from gan_lab.tuning.alone import alone

pytest.importorskip("fcntl")


def test_the_second_is_refused_and_the_next_is_not(here: Path) -> None:
    (here / "s").mkdir()
    with alone(here / "s", "search"):
        with pytest.raises(GanLabError, match="s: another process is running this search"):
            with alone(here / "s", "search"):
                pass
    with alone(here / "s", "search"):
        pass
