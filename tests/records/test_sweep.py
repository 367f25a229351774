"""Real sweeps of tiny runs: nothing stays in memory, a killed sweep goes on, launchers run jobs side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_lab.training import assemble
from tests.conftest import TINY

Cli = Callable[..., int]


def jobs(sweep: Path | str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(sweep, "sweep.json").read_text())["jobs"]
    return found


def resident() -> float:
    """The megabytes that this process holds."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("no /proc here")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.whole
def test_nothing_is_kept_from_job_to_job(gan_lab: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    held: list[int] = []
    memory: list[float] = []
    build = assemble.assemble

    def watched(*args: Any, **kwargs: Any) -> Any:
        held.append(sum(ref() is not None for ref in alive))
        memory.append(resident())
        run, callbacks = build(*args, **kwargs)
        alive.extend(weakref.ref(network) for network in run.algorithm.networks.values())
        return run, callbacks

    monkeypatch.setattr(assemble, "assemble", watched)
    assert gan_lab("train", "-m", *TINY, "width=64", "seed=range(0,8)", "hydra.sweep.dir=s") == 0
    assert held == [0] * 8
    assert max(memory[3:]) - memory[2] < 40
    assert [job["state"] for job in jobs("s")] == ["finished"] * 8


def command(*words: str, **popen: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    argv = [sys.executable, "-m", "gan_lab", "train", *words]
    return subprocess.Popen(argv, env=environment, stdout=pipe, stderr=pipe, text=True, **popen)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.whole)])
def test_a_sweep_that_was_stopped_does_what_is_missing(gan_lab: Cli, here: Path, stop: signal.Signals) -> None:
    long = ("trainer.checkpoint_every=10", "trainer.max_steps=100000", "hydra.sweep.dir=s")
    with command("-m", *TINY, *long, "seed=0,1") as process:
        until = time.monotonic() + 120
        while not (here / "s/0-rpgan-digits/checkpoints/last.pt").exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(stop)
        out, _ = process.communicate(timeout=60)
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert "go on      gan-lab train resume=s" in out
        assert [job["state"] for job in jobs("s")] == ["stopped", "waiting"]
    step = max(int(path.stem[5:]) for path in here.glob("s/0-rpgan-digits/checkpoints/step-*.pt"))
    assert gan_lab("train", "resume=s", f"trainer.max_steps={step + 2}") == 0
    summary = json.loads((here / "s/0-rpgan-digits/summary.json").read_text())
    assert (summary["state"], summary["step"]) == ("finished", step + 2)
    assert sorted(path.name for path in here.glob("s/*-*")) == ["0-rpgan-digits", "1-rpgan-digits"]
    assert [job["state"] for job in jobs("s")] == ["finished", "finished"]
    assert gan_lab("train", "resume=s/1-rpgan-digits", f"trainer.max_steps={step + 3}") == 0


@pytest.mark.whole
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_jobs_side_by_side(launcher: str, here: Path, own_data_root: Path) -> None:
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    with command("-m", f"hydra/launcher={launcher}", *TINY, "seed=0,-1", "hydra.sweep.dir=s") as process:
        out, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert [job["state"] for job in jobs(here / "s")] == ["finished", "failed"]
    name = "(trainer=debug trainer.batch_size=4 seed=-1)"
    why = "seed: -1 is not a whole number from 0 to 4294967295"
    assert err.splitlines() == [
        f"gan-lab train: job 1 {name}: {why}",
        f"gan-lab train: 1 of 2 jobs failed: 1 {name}",
    ]
    assert "job 0 (trainer=debug trainer.batch_size=4 seed=0) finished in" in out
    assert (here / "s/0-rpgan-digits/checkpoints/last.pt").exists()


@pytest.mark.whole
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_job_that_is_put_back_into_the_queue_goes_on(here: Path, own_data_root: Path) -> None:
    """A cluster's warning, by submitit's own hand: the run is saved, its process leaves, and another takes it up."""
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    log = here / "s/0-rpgan-digits/train.log"
    long = ("trainer.checkpoint_every=0", "trainer.max_steps=100000", "hydra.sweep.dir=s")

    def wait_for(text: str, times: int) -> None:
        until = time.monotonic() + 120
        while not (log.exists() and log.read_text().count(text) >= times) and time.monotonic() < until:
            time.sleep(0.05)

    with command("-m", "hydra/launcher=submitit_local", *TINY, *long, "seed=0") as process:
        wait_for("step ", 1)
        (worker,) = here.glob("s/.submitit/*/*_submitted.pkl")
        controller = worker.name.split("_")[0]
        children = Path(f"/proc/{controller}/task/{controller}/children")
        if not children.exists():
            process.kill()
            pytest.skip("no /proc here")
        os.kill(int(children.read_text().split()[0]), signal.SIGUSR2)
        wait_for(" run ", 2)
        wait_for("step ", 2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    told = [line.rsplit(") ")[1] for line in out.splitlines() if line.startswith("job 0 (")]
    assert told == ["begins", "stopped", "begins", "stopped"]
    assert process.returncode == 130
    saved = [int(path.stem[5:]) for path in here.glob("s/0-rpgan-digits/checkpoints/step-*.pt")]
    assert f"steps {min(saved)} to 100000" in log.read_text()
