"""Processes that fall ill: an engine that does something to its process in the second round, but for a second time."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from gan_lab.engine.engine import Engine

MOVES = 2  # of a round


class SickEngine(Engine):
    """The process `rank` goes wrong in the round after the first, in the way that `how` names."""

    def __init__(self, *, how: str, rank: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self._how = how
        self._ill = self.world.rank == rank and os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
        self._moves = 0

    def minimize(self, *args: Any, **options: Any) -> Any:
        self._moves += 1
        if self._ill and self._moves == MOVES + 1:
            if self._how == "hang":
                time.sleep(1000)
            if self._how == "memory":
                raise MemoryError
            if self._how == "error":
                raise ValueError("odd")
            os.kill(os.getpid(), getattr(signal, self._how))
        return super().minimize(*args, **options)
