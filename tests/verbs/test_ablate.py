"""An ablation: the loop with trainings that take no time, and one of real tiny runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs import supervisor, training
from gan_lab.verbs.ablate import ablate
from tests.conftest import TINY

Cli = Callable[..., int]
CONFIG: dict[str, Any] = {
    "techniques": "all",
    "seeds": 2,
    "seed": 0,
    "show": ["fid"],
    "workers": 2,
    "launch": [],
    "resume": None,
    "trust": [],
    "objective": "fid",
    "trainer": {"max_steps": 3},
}


@pytest.fixture
def fake(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = Path(__file__).parents[1] / "tuning" / "fake.py"
    monkeypatch.setattr(training, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(supervisor, "SECONDS", 0.02)
    return here


def states(folder: Path) -> dict[str, str]:
    jobs = json.loads((folder / "ablation.json").read_text())["jobs"]
    return {job["folder"]: job["state"] for job in jobs}


def test_every_job_once_and_only_what_is_missing_again(fake: Path) -> None:
    words = ["what=ends:4", "seeds=2", "workers=2"]
    assert ablate(CONFIG, ["a", "b"], fake / "x", words) == 4.0
    assert states(fake / "x") == dict.fromkeys(["none/0", "a/0", "b/0", "none/1", "a/1", "b/1"], "finished")
    assert json.loads((fake / "x/a/1/words.json").read_text()) == [
        "train",
        "what=ends:4",
        "+technique=[a]",
        "seed=1",
        f"hydra.run.dir='{fake / 'x/a/1'}'",
    ]
    assert "| none | 4 ± 0 | 2 |" in (fake / "x/table.md").read_text()
    with pytest.raises(ConfigError, match="x already holds an ablation; go on with it by resume=x"):
        ablate(CONFIG, ["a", "b"], fake / "x", words)

    summary = fake / "x/b/0/summary.json"
    summary.write_text(summary.read_text().replace("finished", "failed"))
    before = {path: path.stat().st_mtime_ns for path in fake.glob("x/*/*/words.json")}
    assert ablate({**CONFIG, "resume": "x"}, ["a", "b"], fake / "x", [*words, "trust=[mine]"]) == 4.0
    again = [path for path in before if path.stat().st_mtime_ns != before[path]]
    assert again == [fake / "x/b/0/words.json"]
    assert json.loads(again[0].read_text()) == ["train", "trust=[mine]", f"resume='{fake / 'x/b/0'}'"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_failed_jobs_are_named_and_passed_over(fake: Path) -> None:
    with pytest.raises(GanLabError, match="4 of 4 jobs failed: none, seed 0; a, seed 0; none, seed 1; a, seed 1"):
        ablate({**CONFIG, "workers": 1}, ["a"], fake / "x", ["what=crashes"])
    assert set(states(fake / "x").values()) == {"failed"}
    assert "- a, seed 1 failed: RuntimeError: out of luck\n" in (fake / "x/table.md").read_text()


def test_a_model_that_is_refused_as_it_is(fake: Path) -> None:
    with pytest.raises(ConfigError, match="wrappers: do not fit"):
        ablate({**CONFIG, "workers": 1}, ["a"], fake / "x", ["what=refused"])
    assert states(fake / "x")["a/0"] == "waiting"


def test_a_figure_that_no_run_has(fake: Path, caplog: pytest.LogCaptureFixture) -> None:
    ablate({**CONFIG, "show": ["fid", "kid"], "seeds": 1}, ["a"], fake / "x", ["what=ends:1"])
    assert "show: no run has one figure kid" in caplog.messages


@pytest.mark.parametrize(
    ("change", "typed", "message"),
    [
        ({"show": "fid"}, [], "show: 'fid' is not a list of figures"),
        ({"workers": 0}, [], "workers: 0 is not a whole number"),
        ({"techniques": ["c"]}, [], "techniques: unknown c"),
        ({}, ["+technique=[a]"], "technique: is what is compared; name them in techniques="),
    ],
)
def test_refused_before_anything_is_trained(here: Path, change: dict[str, Any], typed: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ablate({**CONFIG, **change}, ["a"], here / "x", typed)
    assert not (here / "x").exists()


@pytest.mark.whole
def test_real_runs_and_a_technique_that_does_not_fit(
    gan_lab: Cli, here: Path, own_data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = ("model=gan_small", "techniques=[activation_checkpointing]", "seeds=[3]", "show=[loss/generator]")
    assert gan_lab("ablate", *TINY, *words, "hydra.run.dir=x") == 0
    assert states(here / "x") == {"none/3": "finished", "activation_checkpointing/3": "refused"}
    text = (here / "x/table.md").read_text()
    assert "| activation_checkpointing |  | 0 | refused |" in text
    assert "has no blocks to compute again" in text
    assert (here / "x/table.png").exists()
    assert gan_lab("ablate", "resume=x") == 0
    assert gan_lab("ablate", "resume=x", "model=gan") == 2
