"""An alarm is one line, and survives `summary.json`."""

from __future__ import annotations

from gan_lab.health.alarm import Alarm

ALARM = Alarm("collapse", 400, 200, "images are all the same", "loss=relativistic_r1_r2")


def test_line() -> None:
    assert ALARM.line() == "health: collapse since step 200: images are all the same; try loss=relativistic_r1_r2"
    assert ALARM._replace(since=0).line().startswith("health: collapse: images")


def test_there_and_back() -> None:
    assert Alarm.of({**ALARM._asdict(), "rolled_back_to": 100}) == ALARM
    assert Alarm.of({"name": "collapse"}) is None
    assert Alarm.of({**ALARM._asdict(), "step": "soon"}) is None
