"""`gan-lab runs`: states, filters, order, formats, damage, and speed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.cli import main
from gan_lab.errors import ConfigError
from gan_lab.records.filter import conditions, words
from gan_lab.records.record import Record, find_runs, read_mapping
from gan_lab.storage.lock import lock_folder

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(here: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["runs", *argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def make(
    name: str, model: str = "dcgan", state: str = "finished", step: int = 10, loss: float = 0.5, **keys: int
) -> Path:
    """A run as gan-lab leaves it."""
    run = Path("outputs", name)
    run.mkdir(parents=True)
    overrides = [f"model={model}", *(f"{key}={value}" for key, value in keys.items())]
    config = {"seed": 0, **keys, "objective": "loss/generator", "trainer": {"batch_size": 64}}
    config |= {"filler": {f"key{n}": {"a": n, "b": [1, 2]} for n in range(40)}}
    config |= {"choices": {"model": model, "dataset": "digits", "loss": "hinge"}, "overrides": overrides}
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    figures = {"loss/generator": loss, "system/images_per_second": 100.0 * step}
    summary = {
        "state": state,
        "step": step,
        "max_steps": 20,
        "figures": figures,
        "updated": "2026-01-02T03:04:05+00:00",
    }
    (run / "summary.json").write_text(json.dumps(summary))
    return run


@pytest.mark.parametrize("key", ["memory/peak", "system/memory_peak"])
def test_figures_of_older_runs_have_todays_names(key: str, call: Call) -> None:
    old = {"images_per_second": 2.0, "memory/peak": 3.0, "data/wait_share": 0.5, "loss/generator": 1.0}
    (make("a/1") / "summary.json").write_text(json.dumps({"state": "finished", "step": 1, "figures": old}))
    new = {"system/images_per_second": 4.0, "system/memory_peak": 5.0, "system/wait_share": 0.5, "loss/generator": 1.0}
    (make("a/2") / "summary.json").write_text(json.dumps({"state": "finished", "step": 1, "figures": new}))
    code, out, _ = call(f"show={key}", "format=json", f"sort=-{key}", "filter=images/s>1")
    found = json.loads(out)
    assert (code, [run[key] for run in found]) == (0, [5.0, 3.0])
    assert [set(run["figures"]) for run in found] == [set(new)] * 2


def names(out: str) -> list[str]:
    return [line.split()[0] for line in out.split("\n\n")[0].splitlines()[1:]]


def test_the_table(call: Call) -> None:
    make("a/1", seed=1, width=8)
    make("a/2", seed=2, width=8, loss=0.25)
    code, out, err = call()
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    head = ["folder", "model", "dataset", "overrides", "step", "of", "images/s", "loss/generator", "state", "when"]
    assert lines[0] == head
    assert lines[1] == [
        "a/1",
        "dcgan",
        "digits",
        "seed=1",
        "10",
        "20",
        "1000",
        "0.5",
        "finished",
        "2026-01-02",
        "03:04",
    ]
    assert out.splitlines()[-1] == "2 runs: 2 finished"


def test_states(call: Call) -> None:
    (
        make("1"),
        make("2", state="running"),
        make("3", state="failed"),
        make("4", state="running"),
        make("5", state="stopped"),
    )
    (Path("outputs/6/.hydra")).mkdir(parents=True)
    Path("outputs/7").mkdir()
    Path("outputs/7/config.yaml").write_text("[")
    with lock_folder(Path("outputs/4")):
        code, out, _ = call("format=json")
    states = {run["name"]: run["state"] for run in json.loads(out)}
    assert code == 0
    assert states == {
        "1": "finished",
        "2": "interrupted",
        "3": "failed",
        "4": "running",
        "5": "stopped",
        "6": "interrupted",
        "7": "damaged",
    }


def test_damage_is_a_line(call: Call) -> None:
    make("1", seed=1)
    make("2", seed=1)
    (Path("outputs/2/summary.json")).write_text("{")
    (make("3", seed=1) / "config.yaml").write_text("\x00")
    Path("outputs/4").mkdir()
    Path("outputs/4/summary.json").write_text('{"figures": 3, "step": "x"}')
    code, out, err = call("sort=-step,loss/generator")
    assert (code, err) == (0, "")
    assert names(out)[0] == "1"
    assert "summary.json cannot be read" in out
    assert "config.yaml cannot be read" in out


def test_filters_and_order(call: Call) -> None:
    make("1", step=5, loss=0.3, seed=1)
    make("2", step=20, loss=0.1, model="gan", seed=2)
    make("3", step=10, loss=float("nan"), seed=3)
    assert names(call("sort=loss/generator")[1]) == ["2", "1", "3"]
    assert names(call("sort=-loss/generator")[1]) == ["1", "2", "3"]
    assert names(call("sort=model,-step")[1]) == ["3", "1", "2"]
    assert names(call("filter=model=dcgan step>=10")[1]) == ["3"]
    assert names(call("filter='model=dcgan|gan'")[1]) == ["1", "2", "3"]
    assert names(call("filter=[step<20,seed!=1]")[1]) == ["3"]
    assert names(call("filter=trainer.batch_size = 64 loss=hinge")[1]) == ["1", "2", "3"]
    assert call("filter=state=failed")[1] == "no runs in outputs that pass the filter\n"


def test_figures_and_settings_as_columns(call: Call) -> None:
    make("1", seed=7)
    code, out, _ = call("outputs", "show=[trainer.batch_size,seed]", "format=csv")
    (row,) = csv.DictReader(out.splitlines())
    assert (code, row["trainer.batch_size"], row["seed"], row["overrides"]) == (0, "64", "7", "seed=7")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["sort=los/generator"], "no run has los/generator; nearest: loss/generator"),
        (["show=trainer.batchsize"], "no run has trainer.batchsize; nearest: trainer.batch_size"),
        (["filter=model"], "filter: 'model' is no condition; e.g. filter='model=dcgan step>=1000 state=finished'"),
        (["filter=step>>3"], "filter: 'step>>3' is no condition; e.g. filter='model=dcgan step>=1000 state=finished'"),
        (
            ["filter=model==gan"],
            "filter: 'model==gan' is no condition; e.g. filter='model=dcgan step>=1000 state=finished'",
        ),
        (["filter=step>1k"], "filter: step>1k: step is a number, '1k' is none"),
        (["format=xml"], "format: 'xml' is not one of table, json, csv"),
        (["nowhere"], "folder: there is no folder nowhere; runs lie in outputs unless hydra.run.dir= said otherwise"),
        (["-m"], "does one thing at a time; leave out -m"),
    ],
)
def test_mistakes_are_one_line(call: Call, argv: list[str], message: str) -> None:
    make("1", seed=1)
    assert call(*argv) == (2, "", f"gan-lab runs: {message}\n")


def test_json_has_no_nan(call: Call) -> None:
    make("1", loss=float("nan"))
    (run,) = json.loads(call("format=json")[1], parse_constant=lambda name: pytest.fail(name))
    assert run["figures"]["loss/generator"] is None


def test_a_wide_table_fits_the_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    make("a/very/long/folder/name/for/a/run", seed=1, width=12345678)
    make("b", seed=2)
    monkeypatch.setattr("gan_lab.verbs.runs.terminal_width", lambda: 100)
    assert max(map(len, call()[1].splitlines())) <= 100


def test_a_run_below_a_run_is_none_and_a_sweep_is_not_one(here: Path) -> None:
    make("a")
    make("a/inner")
    make("sweeps/x/0-gan")
    Path("outputs/sweeps/x/multirun.yaml").touch()
    assert [str(path) for path in find_runs(Path("outputs"))] == ["outputs/a", "outputs/sweeps/x/0-gan"]


def test_a_job_that_never_began_has_its_state_from_the_sweep(here: Path) -> None:
    run = Path("outputs/s/2-gan")
    (run / ".hydra").mkdir(parents=True)
    hydra = {"runtime": {"choices": {"model": "gan", "dataset": "digits"}}, "overrides": {"task": ["seed=-1"]}}
    (run / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": hydra}))
    jobs = [{"job": 2, "folder": "2-gan", "state": "failed", "error": "seed: no"}]
    Path("outputs/s/sweep.json").write_text(json.dumps({"jobs": jobs}))
    record = Record(run, "2-gan")
    assert (record.state, record.get("model"), record.overrides, record.get("error")) == (
        "failed",
        "gan",
        ["seed=-1"],
        "seed: no",
    )


def test_of_many_runs_only_the_end_of_a_config_is_read(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the whole of each takes a hundred times as long."""
    first = make("0", seed=0)
    for number in range(1, 300):
        run = Path("outputs", str(number))
        run.mkdir()
        for name in ("config.yaml", "summary.json"):
            os.link(first / name, run / name)
    parsed: list[int] = []

    def counted(text: str) -> dict[str, Any] | None:
        parsed.append(len(text))
        return read_mapping(text)

    monkeypatch.setattr("gan_lab.records.record.read_mapping", counted)
    code, out, _ = call("sort=-step")
    assert code == 0
    assert out.splitlines()[-1] == "300 runs: 300 finished"
    assert len(parsed) == 300
    assert max(parsed) < (first / "config.yaml").stat().st_size / 10


def test_the_little_language() -> None:
    assert words("[a, b]") == words("a b") == words(["a", "b"]) == ["a", "b"]
    (test,) = conditions("lr <= 1e-3")
    assert [test.holds(value) for value in (0.001, "0.0005", 0.002, None)] == [True, True, False, False]
    (test,) = conditions("ema=true")
    assert [test.holds(value) for value in (True, False)] == [True, False]
    (test,) = conditions("when>2026-01")
    assert test.holds("2026-02-01")
    assert conditions("model=gan|2")[0].holds(2)
    with pytest.raises(ConfigError):
        conditions(["="])
