"""A real search of tiny runs, killed and taken up again; and what is refused before anything is trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TINY

pytest.importorskip("optuna")
pytest.importorskip("matplotlib")

Cli = Callable[..., int]
WORDS = (*TINY, "model=gan_small", "trials=3", "pruner=null", "hydra.run.dir=s", "~space.optimizer.discriminator")


@pytest.mark.whole
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_in_the_middle_and_taken_up_again(
    gan_lab: Cli, here: Path, own_data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    argv = [sys.executable, "-m", "gan_lab", "tune", *WORDS]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while not (here / "s/trials/1").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.kill()
    before = json.loads((here / "s/study.json").read_text())["trials"]
    assert [trial["state"] for trial in before] == ["finished", "running"]
    assert before[0]["overrides"] == ["optimizer.generator.lr=0.0002", "optimizer.generator.betas=[0.5,0.999]"]

    assert gan_lab("tune", "resume=s") == 0
    said = capsys.readouterr().out
    assert "trial 1 was killed; it goes on, or its settings are tried again" in said
    assert "to paste   gan-lab train trainer=debug trainer.batch_size=4 model=gan_small optimizer." in said
    found = json.loads((here / "s/study.json").read_text())
    assert [trial["state"] for trial in found["trials"]] == ["finished", "interrupted", "finished", "finished"]
    assert found["trials"][2]["overrides"] == before[1]["overrides"]
    values = {trial["trial"]: trial["value"] for trial in found["trials"] if trial["value"] is not None}
    assert values[found["best"]] == min(values.values())
    for number in values:
        summary = json.loads((here / f"s/trials/{number}/summary.json").read_text())
        assert summary["figures"]["loss/generator"] == values[number]
        assert list((here / f"s/trials/{number}").glob("events*"))
    assert (here / "s/history.png").exists()

    assert gan_lab("tune", *WORDS) == 2
    assert "hydra.run.dir: s already holds a search; go on with it by resume=s" in capsys.readouterr().err
    assert gan_lab("runs", "s") == 0
    assert "trials/2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trials=0"], "trials: 0 is not a whole number of at least 1"),
        (["workers=two"], "workers: 'two' is not a whole number of at least 1"),
        (["optimizer.generator.lr=0.1"], "optimizer.generator.lr: is typed and in the search space too"),
        (["space=learning"], "unknown space=learning; nearest: learning_rates"),
        (["+space.trainr.max_steps=[1,2]"], "space: unknown key trainr.max_steps"),
        (["+space.model=[gan,gna]"], "space: unknown model=gna; nearest: gan"),
        (["objective=kid", "metrics=[fid]", "callbacks.metrics.every=1"], "objective: kid would not be taken; add it"),
        (["objective=fid"], "objective: fid is a metric, and none is taken"),
        (["direction=down"], "direction: 'down' is not one of minimize, maximize"),
        (["~space.optimizer"], "space: is empty"),
        (["resume=."], "resume=. is not the folder of such a call"),
    ],
)
def test_refused_before_anything_is_trained(
    gan_lab: Cli, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert gan_lab("tune", *TINY, *words, *(["hydra.run.dir=s"] if "resume=." not in words else [])) == 2
    assert f"gan-lab tune: {message}" in capsys.readouterr().err
    assert not Path("s/trials").exists()


def test_without_optuna(gan_lab: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert gan_lab("tune", *TINY, "hydra.run.dir=s") == 2
    assert "gan-lab tune: needs optuna: pip install 'gan-lab[tune]'" in capsys.readouterr().err
