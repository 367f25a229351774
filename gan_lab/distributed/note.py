"""What a process leaves behind when it has failed, for the one that started it: a small file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from gan_lab.distributed.missing import MissingError
from gan_lab.errors import GanLabError, describe
from gan_lab.storage.files import read_json, write_json

TOLD, FAILED, GONE, WAITED = "told", "failed", "gone", "waited"


class Note(NamedTuple):
    """How a process failed, in one line. `kind`: an error that is `told` to users, which would come again; one that was
    not foreseen; another process is gone, or did not answer."""

    kind: str
    line: str
    code: int = 1
    time: float = 0.0

    @classmethod
    def of(cls, error: Exception) -> Note:
        if isinstance(error, MissingError):
            return cls(WAITED if error.waited else GONE, str(error))
        if isinstance(error, GanLabError):
            return cls(TOLD, str(error), error.exit_code)
        return cls(FAILED, describe(error))

    def leave(self, folder: Path, rank: int) -> None:
        write_json(folder / f"{rank}.json", self._replace(time=time.time())._asdict())

    @classmethod
    def read(cls, folder: Path, rank: int) -> Note | None:
        found = read_json(folder / f"{rank}.json")
        return cls(**found) if found else None
