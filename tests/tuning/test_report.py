"""What is left of a search: the file, the table, the command to paste, the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("optuna")
from optuna.trial import TrialState
from PIL import Image

from gan_lab.tuning import report
from gan_lab.tuning.plots import draw
from gan_lab.tuning.space import Categorical, Interval, Space
from gan_lab.tuning.study import Study

SPACE = Space(
    {"optimizer.generator.lr": Interval(0.1, 1.0), "optimizer.discriminator.lr": Categorical(("0.1", "[a b]"))}
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """Two finished trials, a pruned one, a failed one, and one whose settings wait to be tried again."""
    folder = tmp_path_factory.mktemp("study")
    with Study(folder, SPACE, "minimize", {"_target_": "optuna.samplers.RandomSampler"}, None, 0) as opened:
        for lr, other in ((0.5, "0.1"), (0.25, "[a b]"), (0.3, "0.1"), (0.4, "0.1"), (0.6, "0.1")):
            values = {"optimizer.generator.lr": lr, "optimizer.discriminator.lr": other}
            opened.baseline(values) if lr == 0.5 else opened.optuna.enqueue_trial(values)
        for value in (3.0, 2.0, None, None, None):
            trial = opened.ask()
            trial.set_user_attr("seconds", 1.5)
            if value is not None:
                opened.optuna.tell(trial, value)
            elif trial.number == 2:
                trial.report(9.0, 100)
                opened.optuna.tell(trial, state=TrialState.PRUNED)
            elif trial.number == 3:
                trial.set_user_attr("error", "out of luck")
                opened.optuna.tell(trial, state=TrialState.FAIL)
            else:
                opened.again(trial.number, trial.params, trial.user_attrs)
        yield opened


def test_the_table_has_the_best_on_top(study: Study) -> None:
    assert report.lines(study, SPACE, "fid", None) == [
        "trial  generator.lr  discriminator.lr  fid  step  state                seconds",
        "    1          0.25             [a b]    2        finished                 1.5",
        "    0           0.5               0.1    3        finished (as it is)      1.5",
        "    2           0.3               0.1    9   100  pruned                   1.5",
        "    3           0.4               0.1             failed                   1.5",
        "    4           0.6               0.1             interrupted              1.5",
    ]


def test_the_file(study: Study, tmp_path: Path) -> None:
    report.save(tmp_path, {"overrides": ["seed=1"]}, study, SPACE)
    found = json.loads((tmp_path / "study.json").read_text())
    assert (found["overrides"], found["best"]) == (["seed=1"], 1)
    assert found["trials"][3] == {
        "trial": 3,
        "state": "failed",
        "value": None,
        "step": None,
        "overrides": ["optimizer.generator.lr=0.4", "optimizer.discriminator.lr=0.1"],
        "baseline": False,
        "seconds": 1.5,
        "error": "out of luck",
        "folder": "trials/3",
    }
    assert len(found["trials"]) == 5


def test_keys_are_as_short_as_they_may_be() -> None:
    assert report.short(["a.lr", "b.lr", "a.n", "loss"]) == ["a.lr", "b.lr", "n", "loss"]


def test_the_command_can_be_pasted() -> None:
    line = report.to_paste(["model=gan", "metrics=[fid]"], ["a=0.1", "b=[1,2]"])
    assert line == "gan-lab train model=gan 'metrics=[fid]' a=0.1 'b=[1,2]'"


def test_the_pictures(study: Study, tmp_path: Path) -> None:
    paths = draw(tmp_path, study, "fid")
    assert [path.name for path in paths] == ["history.png", "importance.png"]
    for path in paths:
        with Image.open(path) as image:
            assert image.width > 500
            assert len(image.convert("RGB").getcolors(2**20) or []) > 10


def test_nothing_to_show(tmp_path: Path) -> None:
    with Study(tmp_path, SPACE, "minimize", {"_target_": "optuna.samplers.RandomSampler"}, None, 0) as empty:
        assert draw(tmp_path, empty, "fid") == []
