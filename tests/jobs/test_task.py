"""Runs and sweeps: folders, logs, failures and exit codes."""

from __future__ import annotations

import errno
import gc
import logging
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gan_lab.jobs.task import reason_of_game
from tests.command_line.fixtures import Task

Call = Callable[..., tuple[int, str, str]]


def only(pattern: str) -> Path:
    (found,) = Path.cwd().glob(pattern)
    return found


def test_a_run_gets_its_folder_log_and_config(call: Call, tasks: dict[str, Task]) -> None:
    here = Path.cwd()
    code, out, err = call("train", "model=gan", "seed=3")
    assert (code, out, err) == (0, "seed 3\n", "")
    run = only("outputs/gan-digits/*")
    assert sorted(path.name for path in run.iterdir()) == [".hydra", "train.log"]
    assert (run / ".hydra" / "overrides.yaml").read_text() == "- model=gan\n- seed=3\n"
    assert tasks["train"].seen[0].model.generator.width == 128
    assert "hydra" not in tasks["train"].seen[0]
    assert Path.cwd() == here
    log = (run / "train.log").read_text()
    assert "INFO gan_lab.train: seed 3" in log
    assert "DEBUG gan_lab.train: only for the file" in log


def test_two_runs_of_one_second_have_two_folders(call: Call) -> None:
    for _ in range(3):
        call("train")
    assert len(list(Path.cwd().glob("outputs/dcgan-digits/*"))) == 3


def test_what_is_typed_wins_over_the_model_and_the_experiment(call: Call, tasks: dict[str, Task]) -> None:
    call("train", "model=wgan_gp")
    call("train", "model=wgan_gp", "loss=non_saturating")
    call("train", "experiment=row")
    call("train", "experiment=row", "model=dcgan", "trainer.max_steps=1")
    seen = [(cfg.loss.generator, cfg.model.generator.width, cfg.trainer.max_steps) for cfg in tasks["train"].seen]
    assert seen == [("hinge", 32, 10), ("ns", 32, 10), ("ns", 128, 7), ("ns", 64, 1)]


def test_a_log_that_cannot_be_opened_takes_nothing_from_the_line(
    call: Call, tasks: dict[str, Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "run/train.log")

    monkeypatch.setattr(logging.FileHandler, "_open", refuse)
    code, out, err = call("train", "hydra.run.dir=run")
    line = "gan-lab train: run/train.log: Read-only file system; name a folder that can be written\n"
    assert (code, out, err) == (1, "seed 0\n", line)


def test_an_expected_failure_is_one_line(call: Call) -> None:
    code, out, err = call("train", "seed=4")
    assert (code, out, err) == (1, "seed 4\n", "gan-lab train: loss/generator is nan at step 3\n")
    assert "GanLabError" in only("outputs/*/*/train.log").read_text()


def test_an_unexpected_failure_names_the_log_that_holds_the_traceback(call: Call) -> None:
    code, out, err = call("train", "seed=5", "hydra.run.dir=r")
    log = Path("r/train.log")
    assert (code, out) == (1, "seed 5\n")
    assert err == f"gan-lab train: RuntimeError: out of luck (traceback in {log})\n"
    assert "Traceback (most recent call last)" in log.read_text()
    assert "and more" in log.read_text()


def test_a_setting_that_the_task_refuses_is_a_usage_error(call: Call) -> None:
    assert call("train", "seed=8")[::2] == (2, "gan-lab train: precision=fp8: choose fp32 or bf16\n")


def test_interruptions_pass_through(call: Call) -> None:
    assert call("train", "seed=6")[::2] == (130, "gan-lab train: stopped\n")
    assert call("train", "seed=7")[::2] == (143, "")


def test_the_other_verbs_leave_no_folder_and_no_log(call: Call, tasks: dict[str, Task]) -> None:
    assert call("sample", "n=4", "run=x,y")[0] == 0
    assert call("data", "pack", "from=a (1).zip", "force=true")[0] == 0
    assert list(Path.cwd().iterdir()) == []
    assert (tasks["sample"].seen[0].run, tasks["sample"].seen[0].n) == ("x,y", 4)
    cfg = tasks["data"].seen[0]
    assert (cfg.action, cfg["from"], cfg.force, cfg.dataset.image_shape) == ("pack", "a (1).zip", True, [1, 8, 8])


def test_a_failure_without_a_log_says_how_to_see_the_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "gan-lab sample: RuntimeError: out of luck"
    assert call("sample", "run=x", "seed=5")[::2] == (1, f"{line} (HYDRA_FULL_ERROR=1 shows the traceback)\n")
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    code, _, err = call("sample", "run=x", "seed=5")
    assert code == 1
    assert "Traceback" in err
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


def test_sample_needs_a_run(call: Call) -> None:
    message = "gan-lab sample: run is missing; give it, e.g. gan-lab sample run=outputs/dcgan-digits/RUN\n"
    assert call("sample")[::2] == (2, message)


@pytest.mark.whole
def test_a_sweep_runs_every_job_and_sums_up(call: Call, tasks: dict[str, Task]) -> None:
    code, out, err = call("train", "-m", "model=gan", "seed=1,4,5,8,2")
    assert code == 1
    assert [cfg.seed for cfg in tasks["train"].seen] == [1, 4, 5, 8, 2]
    assert out.splitlines()[:3] == ["job 0 (model=gan seed=1)", "seed 1", "job 1 (model=gan seed=4)"]
    sweep = only("outputs/sweeps/*")
    log = (sweep / "2-gan-digits" / "train.log").relative_to(Path.cwd())
    assert err.splitlines() == [
        "gan-lab train: job 1 (model=gan seed=4): loss/generator is nan at step 3",
        f"gan-lab train: job 2 (model=gan seed=5): RuntimeError: out of luck (traceback in {log})",
        "gan-lab train: job 3 (model=gan seed=8): precision=fp8: choose fp32 or bf16",
        "gan-lab train: 3 of 5 jobs failed: 1 (model=gan seed=4), 2 (model=gan seed=5), 3 (model=gan seed=8)",
    ]
    assert (sweep / "4-gan-digits" / ".hydra").is_dir()


@pytest.mark.whole
def test_a_sweep_without_failure_and_one_that_is_stopped(call: Call, tasks: dict[str, Task]) -> None:
    assert call("train", "-m", "seed=1,2")[::2] == (0, "")
    assert call("train", "-m", "seed=1,7,2")[0] == 143
    assert call("train", "-m", "seed=6,2")[0] == 130
    assert [cfg.seed for cfg in tasks["train"].seen] == [1, 2, 1, 7, 6]


def test_a_failed_job_lets_go_of_what_it_held(call: Call, tasks: dict[str, Task]) -> None:
    class Network:
        pass

    alive: list[weakref.ref[Network]] = []
    held: list[int] = []

    def main(cfg: object) -> float:
        held.append(sum(ref() is not None for ref in alive))
        network = Network()
        alive.append(weakref.ref(network))
        try:
            raise RuntimeError("out of memory")
        except RuntimeError as error:
            kept = error  # frame -> exception -> traceback -> frame: only clearing the frame frees the network at once
            raise kept from None

    tasks["train"].main = main  # type: ignore[method-assign, assignment]
    gc.disable()
    try:
        call("train", "-m", "seed=1,2,3")
    finally:
        gc.enable()
    assert held == [0, 0, 0]


def test_only_training_sweeps(call: Call) -> None:
    assert call("sample", "-m", "run=a,b")[::2] == (
        2,
        "gan-lab sample: does one thing at a time; leave out -m\n",
    )


def test_a_folder_that_cannot_be_made(call: Call) -> None:
    Path("file").write_text("")
    code, _, err = call("train", "hydra.run.dir=file/run")
    assert (code, err) == (1, "gan-lab train: file/run: Not a directory\n")


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("gan_lab.algorithms.cycle.Cycle", "dim, which this algorithm has not; Cycle needs generator_ab, "),
        ("mine.M", ""),
    ],
)
def test_a_network_of_another_game_is_told_what_this_one_needs(target: str, named: str) -> None:
    model = {"generator": {"latent_dim": "${algorithm.latent.dim}"}}
    cfg = OmegaConf.create({"algorithm": {"_target_": target}, "model": model})
    with pytest.raises(OmegaConfBaseException) as error:
        OmegaConf.to_container(cfg, resolve=True)
    told = reason_of_game(error.value, cfg)
    assert told.startswith(f"model.generator.latent_dim asks for algorithm.latent.{named}" if named else "")
    assert told.endswith("(dataset=unpaired): model=cyclegan" if named else "")
    assert bool(told) == bool(named)
