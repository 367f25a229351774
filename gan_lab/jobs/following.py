"""The objective of a run in progress, read from its `metrics.jsonl` as the lines come. Imports no torch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

from gan_lab.metrics.figure import find_figure


class Point(NamedTuple):
    """What the objective was after `step` generator updates."""

    step: int
    value: float


class Following:
    """Each call of `news` gives the points since the one before."""

    def __init__(self, folder: Path, objective: str) -> None:
        self._path = folder / "metrics.jsonl"
        self._objective = objective
        self._at = 0  # bytes read, whole lines only
        self._step = -1

    def news(self) -> list[Point]:
        """Points in the order of their lines. Raises ConfigError where the objective may be any of several figures."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        points = []
        for point in filter(None, map(self._point, whole.splitlines())):
            if point.step > self._step:  # of two lines of one step the first counts
                self._step = point.step
                points.append(point)
        return points

    def _point(self, line: bytes) -> Point | None:
        try:
            record = json.loads(line)
        except ValueError:
            return None
        if not isinstance(record, dict) or not isinstance(record.get("step"), int):
            return None
        name = find_figure(record, self._objective)
        value = None if name is None else math.nan if record[name] is None else record[name]
        return Point(record["step"], float(value)) if isinstance(value, (int, float)) else None
