"""Reproducing recipes: with trainings that take no time, and a tiny real one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs import supervisor, training
from gan_lab.reproduction.band import Band
from gan_lab.reproduction.recipe import DOWNLOAD, NOTHING, PATH, Recipe
from gan_lab.verbs.reproduce import choose, listing, reproduce

Cli = Callable[..., int]
CONFIG: dict[str, Any] = {"seeds": 1, "seed": 0, "folder": "x", "workers": 1, "launch": []}
ASKED: dict[str, Any] = {"recipes": [], "all": False, "cheap": False}
FID = Band("fid", at_most=9.0, value=6.6, spread=0.4)
QUICK = Recipe("quick", "digits", NOTHING, 60, 3, (FID, Band("loss/generator", at_least=1)))
KNOWN = {
    "quick": Recipe("quick", "digits", NOTHING, 60, 3, (FID,)),
    "slow": Recipe("slow", "mnist", DOWNLOAD, 301, 1, (FID,)),
    "own": Recipe("own", "folder", PATH, 60, 1, (FID,)),
    "open": Recipe("open", "digits", NOTHING),
}


@pytest.fixture
def fake(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = Path(__file__).parents[1] / "tuning" / "fake.py"
    monkeypatch.setattr(training, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(supervisor, "SECONDS", 0.02)
    return here


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "reproduction.json").read_text())["recipes"][0]
    return found


def test_inside_its_band(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reproduce([KNOWN["quick"]], {**CONFIG, "seeds": 3}, ["what=ends:9"])
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("quick"))
    assert row.split()[:2] == ["quick", "inside"]
    assert "fid 9 ± 0  fid <= 9" in row
    assert told(fake / "x")["verdict"] == "inside"
    assert [run["seed"] for run in told(fake / "x")["runs"]] == [0, 1, 2]
    words = json.loads((fake / "x/quick/2/words.json").read_text())
    assert words == [
        "train",
        "what=ends:9",
        "experiment=quick",
        "seed=2",
        f"hydra.run.dir='{fake / 'x/quick/2'}'",
    ]


def test_one_run_outside_is_outside(fake: Path) -> None:
    """Of two seeds one is done already and lies above; the mean would lie inside."""
    with pytest.raises(GanLabError, match=r"quick outside: fid 12, where fid <= 9 is expected"):
        reproduce([KNOWN["quick"]], CONFIG, ["what=ends:12"])
    with pytest.raises(GanLabError, match=r"quick outside \(1 of 3 runs\): fid 5.333 ± 5.8, where"):
        reproduce([KNOWN["quick"]], {**CONFIG, "seeds": 3}, ["what=ends:2"])
    assert [run["inside"] for run in told(fake / "x")["runs"]] == [False, True, True]


def test_every_figure_counts_and_has_to_be_there(fake: Path) -> None:
    with pytest.raises(GanLabError, match="fid 3, loss/generator not measured, where fid <= 9, loss/generator >= 1"):
        reproduce([QUICK], CONFIG, ["what=ends:3"])


def test_what_fails_is_said_and_the_others_run(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(GanLabError, match=r"quick failed: seed 0 RuntimeError: out of luck; slow failed: seed 0 Run"):
        reproduce([KNOWN["quick"], KNOWN["slow"]], CONFIG, ["what=crashes"])
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[2:4]] == [
        ["quick", "failed"],
        ["slow", "failed"],
    ]


def test_what_has_ended_is_not_run_again(fake: Path) -> None:
    reproduce([KNOWN["quick"]], CONFIG, ["what=ends:3"])
    reproduce([KNOWN["quick"]], {**CONFIG, "seeds": [0, 5]}, ["what=ends:4"])
    assert [run["figures"]["fid"] for run in told(fake / "x")["runs"]] == [3, 4]


def test_where_it_puts_its_runs_by_itself(fake: Path) -> None:
    reproduce([KNOWN["quick"]], {**CONFIG, "folder": None}, ["what=ends:3"])
    assert len(list(fake.glob("outputs/reproductions/*/quick/0/summary.json"))) == 1


def names(recipes: list[Recipe]) -> list[str]:
    return [recipe.name for recipe in recipes]


def test_which_recipes(caplog: pytest.LogCaptureFixture) -> None:
    assert choose(ASKED, KNOWN) == []
    assert names(choose({**ASKED, "recipes": ["slow", "quick", "slow"]}, KNOWN)) == ["slow", "quick"]
    assert names(choose({**ASKED, "recipes": ["own"]}, KNOWN)) == ["own"]
    with caplog.at_level("INFO", "gan_lab"):
        assert names(choose({**ASKED, "all": True}, KNOWN)) == ["quick", "slow"]
    assert "left out, because they need your images (dataset.path=): own" in caplog.messages
    assert names(choose({**ASKED, "all": True, "cheap": True}, KNOWN)) == ["quick"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"recipes": ["quik"]}, "recipes: unknown quik; nearest: quick; gan-lab reproduce lists them"),
        ({"recipes": ["open"]}, "recipes: nothing is expected of open, .* gan-lab train experiment=open trains it"),
        ({"recipes": "quick"}, "recipes: 'quick' is not a list of names"),
        ({"recipes": ["quick"], "all": True}, "all=true runs every recipe; leave it out, or the names"),
    ],
)
def test_what_cannot_be_run(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose({**ASKED, **asked}, KNOWN)


def test_the_list() -> None:
    header, quick, slow, own, unmeasured, _, legend = listing(list(KNOWN.values()))
    assert header.split() == ["recipe", "data", "needs", "time", "seeds", "measured", "band"]
    assert quick.split() == ["quick", "digits", "nothing", "1:00", "3", "fid", "6.6", "±", "0.4", "fid", "<=", "9"]
    assert slow.split()[:5] == ["slow", "mnist", "a", "download", "5:01"]
    assert own.split()[:3] == ["own", "folder", "dataset.path"]
    assert unmeasured.split() == ["open", "digits", "nothing"]
    assert legend.startswith("time: of one seed on two quiet cores")
    assert [line.split()[0] for line in listing(list(KNOWN.values()), cheap=True)[1:-2]] == ["quick", "own"]


@pytest.mark.whole
def test_the_command(
    gan_lab: Cli, here: Path, own_data_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One's own recipe, for real: exit code 0 inside, 1 outside, 2 for what is not there; without a name a list."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    recipe = here / "own/experiment/tiny.yaml"
    recipe.parent.mkdir(parents=True)
    lines = (
        "# @package _global_",
        "defaults:",
        "  - override /trainer: debug",
        "  - override /model: gan_small",
        "objective: loss/generator",
        "trainer: {max_steps: 1, batch_size: 4}",
        "expected: {seconds: 9, figures: {loss/generator: {at_most: 100}}}",
    )
    recipe.write_text("\n".join(lines))
    folder = f"--config-dir={here / 'own'}"
    assert gan_lab("reproduce", folder) == 0
    said = capsys.readouterr().out
    assert "tiny" in said
    assert "loss/generator <= 100" in said
    assert not (here / "outputs").exists()
    assert gan_lab("reproduce", "tiny", folder, "folder=x", "seeds=[2]", "device=cpu") == 0
    assert "tiny, seed 2: inside its band, loss/generator" in capsys.readouterr().out
    assert json.loads((here / "x/tiny/2/summary.json").read_text())["seed"] == 2
    recipe.write_text("\n".join(lines).replace("100", "-1"))
    assert gan_lab("reproduce", "tiny", folder, "folder=x", "seeds=[2]") == 1
    assert "gan-lab reproduce: tiny outside: loss/generator" in capsys.readouterr().err
    assert gan_lab("reproduce", "tinny", folder) == 2
