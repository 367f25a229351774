"""How a training has ended."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gan_lab.training.interruption import Interruption


class Ended(NamedTuple):
    """The figure that a run is compared by, its folder, and what has `stopped` it where that was a signal."""

    objective: float
    folder: Path
    stopped: Interruption | None = None
