"""The objective as its lines come."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.errors import ConfigError
from gan_lab.jobs.following import Following, Point


def test_lines_are_read_once_whole_and_only_with_the_objective(tmp_path: Path) -> None:
    following = Following(tmp_path, "fid")
    assert following.news() == []
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1, "loss": 2}\n{"step": 2, "fid/a-10": 5}\n{"step": 3, "fid/')
    assert following.news() == [Point(2, 5.0)]
    with open(file, "a") as more:
        more.write('a-10": NaN}\nrubbish\n[1]\n{"step": 5, "fid/a-10": 4.5}\n')
    points = following.news()
    assert [point.step for point in points] == [3, 5]
    assert points[0].value != points[0].value
    assert points[1].value == 4.5
    assert following.news() == []


def test_an_objective_that_may_be_several(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "fid/a": 1, "fid/b": 2}\n')
    with pytest.raises(ConfigError, match="fid may be any of fid/a, fid/b; say which"):
        Following(tmp_path, "fid").news()
