"""Sweeps on stand-in tasks: numbers, folders, notes, and what is done when one is taken up again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.hydra_config import HydraConfig

from gan_lab.records.sweep import ask_to_stop
from tests.command_line.fixtures import Task

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def played(tasks: dict[str, Task]) -> list[tuple[str, Any]]:
    """Jobs that leave the summary of a finished run, seed 4 failing until a file `mended` is there."""
    seen: list[tuple[str, Any]] = []

    def main(cfg: Any) -> float:
        run = Path(HydraConfig.get().runtime.output_dir)
        seen.append((run.name, cfg))
        if cfg.seed == 4 and not Path("mended").exists():
            raise RuntimeError("out of luck")
        if cfg.seed == 6 and not Path("mended").exists():
            raise KeyboardInterrupt
        steps = cfg.trainer.max_steps
        summary = {"state": "finished", "step": steps, "figures": {"fid": cfg.seed / 2}, "seconds": 1.5}
        (run / "summary.json").write_text(json.dumps(summary))
        return float(cfg.seed) / 2

    tasks["train"].main = main  # type: ignore[method-assign, assignment]
    return seen


def jobs(sweep: str = "s") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(sweep, "sweep.json").read_text())["jobs"]
    return found


@pytest.mark.whole
def test_the_table_at_the_end(call: Call, played: list[Any]) -> None:
    code, out, err = call("train", "-m", "model=gan", "seed=1,4", "trainer.max_steps=3,5", "hydra.sweep.dir=s")
    assert code == 1
    table = out[out.index("job  overrides") :].splitlines()
    cells = [line.rsplit(None, 1)[0].split() for line in table[:5]]
    assert cells == [
        ["job", "overrides", "fid", "state"],
        ["0", "seed=1", "trainer.max_steps=3", "0.5", "finished"],
        ["1", "seed=1", "trainer.max_steps=5", "0.5", "finished"],
        ["2", "seed=4", "trainer.max_steps=3", "failed"],
        ["3", "seed=4", "trainer.max_steps=5", "failed"],
    ]
    assert "go on      gan-lab train resume=s" in out
    assert [job["state"] for job in jobs()] == ["finished", "finished", "failed", "failed"]
    assert [job["folder"] for job in jobs()] == [f"{number}-gan-digits" for number in range(4)]
    assert "out of luck" in jobs()[2]["error"]
    assert err.splitlines()[-1].startswith("gan-lab train: 2 of 4 jobs failed: 2 (model=gan seed=4")


@pytest.mark.whole
def test_only_what_is_missing_is_done(call: Call, played: list[Any]) -> None:
    assert call("train", "-m", "model=gan,dcgan", "seed=1,4,6,2", "hydra.sweep.dir=s")[0] == 130
    assert [name for name, _ in played] == ["0-gan-digits", "1-gan-digits", "2-gan-digits"]
    assert [job["state"] for job in jobs()] == ["finished", "failed", "stopped"] + ["waiting"] * 5
    Path("mended").touch()
    del played[:]
    code, out, err = call("train", "resume=s")
    assert (code, err) == (0, "")
    names = [name for name, _ in played]
    assert names == ["1-gan-digits", "2-gan-digits", "3-gan-digits", *(f"{n}-dcgan-digits" for n in range(4, 8))]
    assert [cfg.seed for _, cfg in played] == [4, 6, 2, 1, 4, 6, 2]
    assert [bool(cfg.resume) for _, cfg in played] == [True, True, False, False, False, False, False]
    assert [job["objective"] for job in jobs()] == [0.5, 2.0, 3.0, 1.0] * 2
    assert {job["state"] for job in jobs()} == {"finished"}
    assert "go on" not in out[out.index("job  overrides") :]
    del played[:]
    assert call("train", "resume=s")[0] == 0
    assert played == []


@pytest.mark.whole
def test_what_is_typed_beside_it_applies_to_all_jobs_and_stays(call: Call, played: list[Any]) -> None:
    call("train", "-m", "model=gan", "seed=1,2", "hydra.sweep.dir=s")
    del played[:]
    assert call("train", "resume=s", "trainer.max_steps=20", "-m")[0] == 0
    assert [(name, cfg.seed, cfg.trainer.max_steps) for name, cfg in played] == [
        ("0-gan-digits", 1, 20),
        ("1-gan-digits", 2, 20),
    ]
    task = yaml.safe_load(Path("s/multirun.yaml").read_text())["hydra"]["overrides"]["task"]
    assert task == ["model=gan", "seed=1,2", "trainer.max_steps=20"]


@pytest.mark.parametrize("words", [["seed=3"], ["seed=3,4"], ["trainer.max_steps=3,4"]])
def test_other_jobs_are_refused(call: Call, played: list[Any], words: list[str]) -> None:
    call("train", "-m", "seed=1,2", "hydra.sweep.dir=s")
    code, _, err = call("train", "resume=s", *words)
    assert code == 2
    assert f"{words[0]} would make other jobs of that sweep; start a new one with -m" in err


def test_a_sweep_is_not_begun_over_another(call: Call, played: list[Any]) -> None:
    call("train", "-m", "seed=1,2", "hydra.sweep.dir=s")
    code, _, err = call("train", "-m", "seed=3,2", "hydra.sweep.dir=s")
    assert (code, err) == (
        2,
        "gan-lab train: hydra.sweep.dir: s already holds a sweep; "
        "go on with it by resume=s, or choose another folder\n",
    )


def stored(task: object, sweeper: str = "basic") -> None:
    Path("s").mkdir()
    hydra = {"overrides": {"task": task, "hydra": ["hydra.launcher._target_=os.system"]}}
    hydra["runtime"] = {"choices": {"hydra/sweeper": sweeper}}
    Path("s/multirun.yaml").write_text(yaml.safe_dump({"hydra": hydra}))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (["+a={_target_: os.system},{x: 1}"], "names os.system"),
        (["seed=${oc.env:HOME},1"], "calls a resolver; type seed= again"),
        ("seed=1", "is not a list of overrides"),
        ([1], "is not a list of overrides"),
    ],
)
def test_a_hostile_sweep_is_refused(call: Call, tasks: dict[str, Task], task: object, message: str) -> None:
    stored(task)
    code, _, err = call("train", "resume=s")
    assert (code, tasks["train"].seen) == (2, [])
    assert message in err
    assert err.count("\n") == 1


def test_stored_hydra_settings_and_trust_are_not_used(call: Call, tasks: dict[str, Task]) -> None:
    stored(["seed=1,2", "hydra.launcher._target_=os.system", "hydra/launcher=nope", "trust=[os]", "resume=x"])
    assert call("train", "resume=s")[0] == 0
    assert [(cfg.seed, list(cfg.trust)) for cfg in tasks["train"].seen] == [(1, []), (2, [])]


def test_another_sweeper_and_a_damaged_file_are_one_line(call: Call) -> None:
    stored(["seed=1"], sweeper="optuna")
    assert "was made with hydra/sweeper=optuna, which cannot be taken up again\n" in call("train", "resume=s")[2]
    Path("s/multirun.yaml").write_text("[")
    assert "multirun.yaml cannot be read" in call("train", "resume=s")[2]
    Path("s/multirun.yaml").write_text("a: 1")
    assert "is not the configuration of a sweep" in call("train", "resume=s")[2]


def test_a_job_folder_outside_the_sweep_is_refused(call: Call, played: list[Any]) -> None:
    call("train", "-m", "seed=1,2", "hydra.sweep.dir=s")
    Path("s/sweep.json").write_text(json.dumps({"jobs": [{"job": 0, "folder": "../../x"}]}))
    code, _, err = call("train", "resume=s")
    assert code == 1
    assert "job 0 lies outside the sweep's folder (../../x)" in err


def test_a_job_that_the_cluster_puts_back_resumes(
    call: Call, tasks: dict[str, Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gan_lab.jobs.task import Task as Ours

    seen: list[Any] = []

    def main(cfg: Any) -> float:
        seen.append(cfg.resume)
        (Path(HydraConfig.get().runtime.output_dir) / "config.yaml").touch()
        return 0.0

    tasks["train"].main = main  # type: ignore[method-assign, assignment]
    again = Ours.__call__

    def twice(self: Any, cfg: Any) -> float | None:
        again(self, cfg)
        return again(self, cfg)

    monkeypatch.setattr(Ours, "__call__", twice)
    assert call("train", "-m", "seed=1,2", "hydra.sweep.dir=s")[0] == 0
    folders = [str(Path(f"s/{number}-dcgan-digits").absolute()) for number in range(2)]
    assert seen == [None, folders[0], None, folders[1]]


def test_the_flag_to_stop(tmp_path: Path) -> None:
    from gan_lab.records.sweep import stop_asked

    ask_to_stop(tmp_path, True)
    assert stop_asked(tmp_path)
    ask_to_stop(tmp_path, False)
    assert not stop_asked(tmp_path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["technique=blur"], {"blur": 1}),
        (["+technique=noise"], {"noise": 2}),
        (["technique=[blur,noise]"], {"blur": 1, "noise": 2}),
        (["technique=null"], {}),
    ],
)
def test_a_technique_needs_no_plus(
    call: Call, tasks: dict[str, Task], words: list[str], expected: dict[str, int]
) -> None:
    assert call("train", *words)[::2] == (0, "")
    added = dict(tasks["train"].seen[0].augmentation)
    added.pop("_target_")
    assert added == expected


@pytest.mark.whole
def test_techniques_are_swept_and_resumed(call: Call, tasks: dict[str, Task]) -> None:
    assert call("train", "-m", "technique=blur,noise")[::2] == (0, "")
    assert call("train", "-m", "technique=[blur],[blur,noise]", "hydra.sweep.dir=s")[::2] == (0, "")
    seen = [set(cfg.augmentation) - {"_target_"} for cfg in tasks["train"].seen]
    assert seen == [{"blur"}, {"noise"}, {"blur"}, {"blur", "noise"}]
    assert call("train", "resume=s/1-dcgan-digits", "technique=null")[::2] == (0, "")
    assert set(tasks["train"].seen[-1].augmentation) == {"_target_"}


def test_an_unknown_technique_offers_the_nearest(call: Call) -> None:
    for word in ("technique=blurr", "technique=[noise,blurr]"):
        code, _, err = call("train", word)
        assert (code, err) == (2, "gan-lab train: unknown technique=blurr; nearest: blur\n  choices: blur, noise\n")


@pytest.mark.parametrize(
    ("typed", "launcher"),
    [("submitit_local", "submitit_local"), ("submitit_slurm", "submitit_slurm"), ("slurm", "submitit_slurm")],
)
def test_a_launcher_that_is_not_installed_names_its_extra(
    call: Call, launchers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, typed: str, launcher: str
) -> None:
    monkeypatch.delitem(launchers, f"{launcher}.yaml", raising=False)
    assert call("train", "-m", f"hydra/launcher={typed}", "seed=1,2")[::2] == (
        2,
        f"gan-lab train: hydra/launcher={launcher} is not installed: pip install 'gan-lab[slurm]'\n",
    )


@pytest.fixture
def launchers() -> dict[str, Any]:
    """Where Hydra finds the settings of the launchers that are installed."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins

    Plugins.instance()
    found: dict[str, Any] = ConfigStore.instance().repo["hydra"]["launcher"]
    return found


SIDE_BY_SIDE = ("train", "-m", "hydra/launcher=joblib", "hydra.sweep.dir=s")


def words(job: str) -> list[str]:
    """What a job's own process was started with, without the last: its folder."""
    found: list[str] = json.loads(Path("s", job, "words.json").read_text())
    return found[:-1]


def test_side_by_side_needs_no_joblib(
    fake: Path, call: Call, launchers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(launchers, "joblib.yaml", raising=False)
    code, out, err = call(*SIDE_BY_SIDE, "hydra.launcher.n_jobs=2", "hydra.verbose=[a]", "+what=ends:1,crashes,killed")
    assert code == 1
    failed = ("RuntimeError: out of luck", "its process was ended by SIGKILL (out of memory?)")
    assert sorted(err.splitlines()[:2]) == [
        f"gan-lab train: job 1 (+what=crashes): {failed[0]}",
        f"gan-lab train: job 2 (+what=killed): {failed[1]}",
    ]
    assert err.splitlines()[2].startswith("gan-lab train: 2 of 3 jobs failed: ")
    assert r"job 0 (+what=ends\:1) begins" in out
    assert r"job 0 (+what=ends\:1) finished in " in out
    assert [(job["state"], job["objective"], job["error"]) for job in jobs()] == [
        ("finished", 1.0, ""),
        ("failed", None, failed[0]),
        ("failed", None, failed[1]),
    ]
    assert words("1-dcgan-digits") == [
        *("train", "--config-name=train", "hydra.verbose=[a]", "hydra.job.num=1"),
        *("+what=crashes", "hydra.sweep.subdir='1-dcgan-digits'"),
    ]


def test_side_by_side_only_what_is_missing_is_done(fake: Path, call: Call) -> None:
    call(*SIDE_BY_SIDE, "+what=ends:3,crashes,ends:2")
    before = Path("s/0-dcgan-digits/words.json").stat().st_mtime_ns
    again = ("train", "resume=s", "hydra/launcher=joblib", "trainer.max_steps=3")
    assert call(*again)[0] == 1
    assert words("1-dcgan-digits") == ["train", "--config-name=train", "hydra.job.num=1", "trainer.max_steps=3"]
    assert Path("s/0-dcgan-digits/words.json").stat().st_mtime_ns == before
    assert [job["objective"] for job in jobs()] == [3.0, None, 2.0]


def test_side_by_side_settings_of_joblib_itself_are_not_passed_over_in_silence(fake: Path, call: Call) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    code, _, err = call(*SIDE_BY_SIDE, "hydra.launcher.n_jobs=1", "hydra.launcher.verbose=1", "+what=ends:3")
    line = "gan-lab train: hydra.launcher.verbose=1: a setting of joblib itself, which is not used\n"
    assert (code, err) == (0, line)


def test_side_by_side_a_run_that_is_no_job_of_this_sweep_is_not_gone_on_with(fake: Path, call: Call) -> None:
    call(*SIDE_BY_SIDE, "hydra.sweep.subdir=here", "hydra.launcher.n_jobs=1", "+what=ends:3,ends:2")
    assert json.loads(Path("s/here/words.json").read_text())[-1] == f"hydra.run.dir='{Path('s/here').absolute()}'"


def test_side_by_side_shows_a_traceback_where_it_is_wanted(
    fake: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "a warning" not in call(*SIDE_BY_SIDE, "+what=crashes")[2]
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    err = call("train", "resume=s", "hydra/launcher=joblib")[2]
    assert err.startswith("a warning\ngan-lab train: job 0 (+what=crashes): RuntimeError: out of luck\n")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_side_by_side_a_signal_lets_them_save(fake: Path, call: Call) -> None:
    def stop() -> None:
        while not Path("s/1-dcgan-digits/metrics.jsonl").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    code, out, _ = call(*SIDE_BY_SIDE, "hydra.launcher.n_jobs=1", "+what=ends:1,waits:2,ends:3")
    assert code == 143
    assert "SIGTERM: what runs is saved and ends (once more to stop at once)" in out
    assert "go on      gan-lab train resume=s" in out
    assert [job["state"] for job in jobs()] == ["finished", "stopped", "waiting"]
