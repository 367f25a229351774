"""The looks at a run that lie in its files, and the alarms that they gave cause for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gan_lab.health.alarm import Alarm
from gan_lab.health.rules import judge
from gan_lab.health.signals import Signals
from gan_lab.loggers.jsonl import read_lines
from gan_lab.storage.files import read_json


def looks(folder: Path) -> list[Signals]:
    """The looks in `metrics.jsonl`, in order; none where there is no such file."""
    try:
        found = [Signals.of(record) for record in read_lines(folder / "metrics.jsonl")]
    except (OSError, ValueError):
        return []
    return [each for each in found if each is not None]


def alarms(folder: Path) -> list[Alarm]:
    """The alarms in `summary.json`."""
    records = read_json(folder / "summary.json").get("alarms")
    found = [Alarm.of(record) for record in records if isinstance(record, dict)] if isinstance(records, list) else []
    return [each for each in found if each is not None]


def judged(history: Sequence[Signals], rates: Mapping[str, float] | None = None) -> list[Alarm]:
    """The alarms that a watcher of these looks would have raised, one after the other."""
    raised: list[Alarm] = []
    for end in range(1, len(history) + 1):
        alarm = judge(history[:end], [each.name for each in raised], rates)
        if alarm is not None:
            raised.append(alarm)
    return raised
