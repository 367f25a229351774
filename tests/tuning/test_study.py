"""The study on disk: what a second process finds there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("optuna")
from optuna.trial import TrialState

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.tuning.space import Categorical, Interval, Space
from gan_lab.tuning.study import Study, check_installed

SAMPLER = {"_target_": "optuna.samplers.TPESampler", "n_startup_trials": 6}
SPACE = Space({"lr": Interval(1e-4, 1.0, log=True), "loss": Categorical(("a", "b"))})


def opened(folder: Path, direction: str = "minimize") -> Study:
    return Study(folder, SPACE, direction, SAMPLER, None, seed=0)


def test_a_second_sitting_goes_on_and_proposes_something_else(tmp_path: Path) -> None:
    with opened(tmp_path) as study:
        study.baseline({"lr": 0.01, "loss": "b"})
        first = study.ask()
        assert first.params == {"lr": 0.01, "loss": "b"}
        assert first.user_attrs == {"baseline": True}
        study.optuna.tell(first, 3.0)
        second = study.ask()
        study.optuna.tell(second, 2.0)
    with opened(tmp_path) as study:
        assert [trial.value for trial in study.trials] == [3.0, 2.0]
        assert study.ask().params != second.params
        assert study.counted() == 2


def test_who_was_killed_is_tried_again_once(tmp_path: Path) -> None:
    with opened(tmp_path) as study:
        study.baseline({"lr": 0.01, "loss": "b"})
        killed = study.ask()
    with opened(tmp_path) as study:
        assert study.put_back() == [killed.number]
        assert study.put_back() == []
        assert study.trials[0].state == TrialState.FAIL
        assert study.counted() == 0
        again = study.ask()
        assert again.number == 1
        assert again.params == killed.params
        assert again.user_attrs == {"baseline": True, "again": 0}
        study.optuna.tell(again, 1.0)
        assert study.counted() == 1


def test_killed_between_queueing_and_closing(tmp_path: Path) -> None:
    with opened(tmp_path) as study:
        killed = study.ask()
        study.optuna.enqueue_trial(killed.params, user_attrs={"again": killed.number})
    with opened(tmp_path) as study:
        assert study.put_back() == [0]
        assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]


@pytest.mark.parametrize(("direction", "best"), [("minimize", -2.0), ("maximize", 0.5)])
def test_the_best_is_the_smallest_or_the_largest(tmp_path: Path, direction: str, best: float) -> None:
    with opened(tmp_path, direction) as study:
        assert study.best() is None
        for value in (-1.0, -2.0, 0.5, 0.0):
            study.optuna.tell(study.ask(), value)
        study.optuna.tell(study.ask(), state=TrialState.FAIL)
        found = study.best()
        assert found is not None
        assert found.value == best
        assert study.counted() == 5


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="direction: 'down' is not one of minimize, maximize"):
        opened(tmp_path, "down")
    (tmp_path / "study.db").write_text("this is no database, however long it may be" * 50)
    with pytest.raises(GanLabError, match=r"study\.db: cannot be opened"):
        opened(tmp_path)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"needs optuna: pip install 'gan-lab\[tune\]'"):
        check_installed("optuna")


def test_a_path_with_signs_of_urls(tmp_path: Path) -> None:
    folder = tmp_path / "a ?b%20#c"
    folder.mkdir()
    with opened(folder) as study:
        study.ask()
    assert (folder / "study.db").exists()
