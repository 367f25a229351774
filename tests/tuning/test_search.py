"""The loop of a search, with trainings that take no time: every way in which a trial can end."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("optuna")

from gan_lab.errors import ConfigError
from gan_lab.jobs.training import Launch, Training
from gan_lab.storage.files import read_json
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning import report
from gan_lab.tuning.search import Playing, Search, take_over
from gan_lab.tuning.space import Categorical, Space
from gan_lab.tuning.study import Study

WHATS = ("ends:3", "ends:2", "ends:nan", "crashes", "killed", "refused", "waits:50", "waits:2.5", "other:1", "gains:4")
SPACE = Space({"what": Categorical(WHATS)})
SAMPLER = {"_target_": "optuna.samplers.RandomSampler"}
PRUNER = {"_target_": "optuna.pruners.SuccessiveHalvingPruner", "min_resource": 1, "reduction_factor": 3}


@pytest.fixture
def study(fake: Path) -> Iterator[Study]:
    with Study(fake, SPACE, "minimize", SAMPLER, PRUNER, seed=0) as opened:
        yield opened


def queue(study: Study, *whats: str) -> int:
    for what in whats:
        study.optuna.enqueue_trial({"what": what})
    return len(whats)


def searched(study: Study, folder: Path, trials: int, workers: int = 1) -> list[str]:
    search = Search(folder, study, SPACE, "fid", ["seed=1"])
    try:
        search.run(trials, Launch(workers))
    finally:
        states = [fact["state"] for fact in report.facts(study, SPACE)]
    return states


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("workers", [1, 2])
def test_failures_are_passed_over(study: Study, fake: Path, workers: int, caplog: pytest.LogCaptureFixture) -> None:
    trials = queue(study, "ends:3", "ends:nan", "crashes", "killed", "refused", "ends:2")
    with caplog.at_level(logging.INFO):
        assert searched(study, fake, trials, workers) == ["finished", *["failed"] * 4, "finished"]
    told = {fact["trial"]: fact["error"] for fact in report.facts(study, SPACE)}
    assert told == {
        0: "",
        1: "fid is nan at step 1",
        2: "RuntimeError: out of luck",
        3: "its process was ended by SIGKILL (out of memory?)",
        4: "wrappers: do not fit",
        5: "",
    }
    best = study.best()
    assert best is not None
    assert (best.number, best.value) == (5, 2.0)
    ended = r"trial 5 finished in \S+ s: fid 2, the best so far"
    assert any(re.fullmatch(ended, message) for message in caplog.messages)
    assert read_words(fake / "trials/5") == ["train", "seed=1", "what=ends:2", f"hydra.run.dir='{fake / 'trials/5'}'"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_one_that_lies_behind_is_pruned(study: Study, fake: Path) -> None:
    trials = queue(study, "ends:3", "waits:50", "ends:2")
    assert searched(study, fake, trials) == ["finished", "pruned", "finished"]
    facts = report.facts(study, SPACE)[1]
    assert (facts["value"], facts["step"]) == (50.0, 1)
    assert read_json(fake / "trials/1/summary.json")["state"] == "stopped"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_configuration_as_it_is_is_never_pruned(study: Study, fake: Path) -> None:
    queue(study, "ends:3")
    study.baseline({"what": "waits:50"})
    (fake / "go").touch()
    assert searched(study, fake, 2) == ["finished", "finished"]


def test_at_the_last_step_there_is_nothing_to_prune(study: Study, fake: Path) -> None:
    queue(study, "ends:3", "waits:50")
    (fake / "go").touch()
    Search(fake, study, SPACE, "fid", [], last=1).run(2, Launch())
    assert [fact["state"] for fact in report.facts(study, SPACE)] == ["finished", "finished"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_stopped_and_taken_up_again(study: Study, fake: Path) -> None:
    queue(study, "ends:3", "waits:2.5", "ends:2")

    class Stopped(Search):
        def _watch(self, job: Playing, training: Training | None) -> None:
            super()._watch(job, training)
            if training and job.trial.number == 1 and (fake / "trials/1/metrics.jsonl").exists():
                os.kill(os.getpid(), signal.SIGTERM)

    search = Stopped(fake, study, SPACE, "fid", [])
    with pytest.raises(SystemExit) as stopped:
        search.run(3, Launch())
    assert stopped.value.code == 143
    assert [fact["state"] for fact in report.facts(study, SPACE)] == ["finished", "interrupted"]
    assert study.counted() == 1
    (fake / "go").touch()
    assert searched(study, fake, 3) == ["finished", "interrupted", "finished", "finished"]
    assert [fact["overrides"] for fact in report.facts(study, SPACE)][2:] == [["what=ends:2"], ["what=waits:2.5"]]
    assert not (fake / "trials/1").exists(), "its run is trial 3's now"
    assert read_words(fake / "trials/3") == ["train", f"resume='{fake / 'trials/3'}'"]
    steps = [json.loads(line)["step"] for line in (fake / "trials/3/metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 1, 1, 2, 3], "the first one is from before it was stopped"


def read_words(run: Path) -> list[str]:
    words: list[str] = json.loads((run / "words.json").read_text())
    return words


def test_a_run_that_somebody_still_plays_is_not_take_over(tmp_path: Path) -> None:
    run = tmp_path / "1"
    assert not take_over(run, tmp_path / "2"), "there is none"
    run.mkdir()
    (run / "config.yaml").touch()
    with lock_folder(run):
        assert not take_over(run, tmp_path / "2")
    assert take_over(run, tmp_path / "2")
    assert (tmp_path / "2/config.yaml").exists()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("other:1", r"objective: fid is not one figure of these runs \(they have: loss/generator\)"),
        ("gains:4", "direction: of fid/pixels-native-10 more is better; maximize it"),
    ],
)
def test_a_mistake_that_all_trials_would_share_ends_the_search(
    study: Study, fake: Path, what: str, message: str
) -> None:
    queue(study, what, "ends:1")
    with pytest.raises(ConfigError, match=message):
        searched(study, fake, 2)
    assert len(report.facts(study, SPACE)) == 1


def test_a_configuration_that_is_refused_as_it_is(study: Study, fake: Path) -> None:
    study.baseline({"what": "refused"})
    with pytest.raises(ConfigError, match="wrappers: do not fit"):
        searched(study, fake, 3)
