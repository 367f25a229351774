"""Looks and alarms are read back from a run's files."""

from __future__ import annotations

import json
from pathlib import Path

from gan_lab.health.history import alarms, judged, looks
from tests.health.test_rules import story


def test_a_run_without_files(tmp_path: Path) -> None:
    assert looks(tmp_path) == []
    assert alarms(tmp_path) == []


def test_looks_among_other_lines(tmp_path: Path) -> None:
    history = story(3)
    lines = [{"step": look.step, **look.scalars(), "time": 1.0} for look in history]
    text = "".join(json.dumps(line) + "\n" for line in [{"step": 20, "loss/generator": 1.0}, *lines])
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 400, "health/div')
    assert looks(tmp_path) == history


def test_alarms_of_a_summary(tmp_path: Path) -> None:
    alarm = judged(story(dead=0.9))[0]
    (tmp_path / "summary.json").write_text(json.dumps({"alarms": [alarm._asdict(), {"name": "half"}, 3]}))
    assert alarms(tmp_path) == [alarm]
    (tmp_path / "summary.json").write_text('{"alarms": 5}')
    assert alarms(tmp_path) == []


def test_judged_one_after_the_other() -> None:
    found = judged(story(6, dead=[0.9] * 6, saturated=[0, 0, 0, 0.9, 0.9, 0.9]), {"generator": 1e-3})
    assert [(alarm.name, alarm.step, alarm.since) for alarm in found] == [
        ("dead_units", 300, 100),
        ("saturated", 600, 400),
    ]
    assert found[1].advice == "optimizer.generator.lr=0.0002"
