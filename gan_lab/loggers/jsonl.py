"""`metrics.jsonl`: one json object a line, each with its `step`; a figure that is no number is null."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from gan_lab.loggers.base import Logger
from gan_lab.storage.files import to_json, write_text


class JsonLines(Logger):
    """A resumed run first drops the lines of steps it will play again, and a last line that a kill cut short."""

    def __init__(self) -> None:
        self._file: TextIO | None = None

    def open(self, folder: Path, step: int) -> None:
        path = folder / "metrics.jsonl"
        if path.exists():
            lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
            write_text(path, "".join(line for line in lines if _kept(line, step)))
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open as long as the run

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        if self._file is None:
            return
        record = {"step": step, **figures, "time": round(time.time(), 3)}
        self._file.write(to_json(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _kept(line: str, step: int) -> bool:
    record = parse(line)
    return record is not None and record["step"] <= step


def parse(line: str) -> dict[str, Any] | None:
    """One line's record, or None when the line is not whole."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = line.endswith("\n") and isinstance(record, dict) and isinstance(record.get("step"), int)
    return record if whole else None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a `metrics.jsonl`, whole lines only."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            record = parse(line)
            if record is not None:
                yield record
