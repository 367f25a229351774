"""Memory that runs out is one line, and nothing on disk is half written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gan_lab.engine.engine import Engine
from gan_lab.errors import GanLabError
from gan_lab.training import assemble as assembling
from gan_lab.training.callback import Callback
from gan_lab.training.memory import shortage
from gan_lab.training.memory.available import size
from gan_lab.training.memory.dry_round import dry_round, fit_line
from gan_lab.training.memory.shortage import explain_shortage
from gan_lab.training.run import Run
from gan_lab.training.trainer import fit
from tests.compose import tiny_run
from tests.training.memory.test_dry_round import NETS

CPU_SAYS = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"

LIMITED = """
import resource, sys
from pathlib import Path
from gan_lab.cli import main
from gan_lab.training import trainer

fit = trainer.fit

def within(run, *given):
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 600 * 2**20,) * 2)
    return fit(run, *given)

trainer.fit = within
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.mark.whole
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space as Linux does")
def test_a_real_shortage(here: Path) -> None:
    """With 600 MiB of address space beside what is taken when the first round begins, half of which counts."""
    (here / "limited.py").write_text(LIMITED)
    command = ["model=dcgan", "trainer=debug", "width=64", "trainer.batch_size=8192", "hydra.run.dir=run"]
    done = subprocess.run(
        [sys.executable, "limited.py", *command],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    found = re.fullmatch(
        r"gan-lab train: out of memory at step 1: a round of 8192 images takes about ([\d.]+) GiB, (\d+) MiB are "
        r"there; trainer\.accumulation=(\d+) \(pieces of (\d+) images\) fits; or trainer\.accumulation=auto finds it",
        line,
    )
    assert found is not None, line
    takes, there, pieces, piece = map(float, found.groups())
    assert 0.7 < takes < 1.5
    assert 150 < there <= 300
    assert pieces * piece == 8192
    assert pieces > 2
    run = here / "run"
    assert json.loads((run / "summary.json").read_text())["state"] == "failed"
    assert not list(run.rglob("*.tmp"))
    assert not list(run.glob("checkpoints/*"))
    for text in (run / "metrics.jsonl").read_text().splitlines():
        json.loads(text)


def raising(error: Exception) -> Callable[..., None]:
    def play(*_: object) -> None:
        raise error

    return play


def failing(run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, beyond: int) -> None:
    """Let every move on pieces of more than `beyond` images fail."""
    duel = run.algorithm.duels[""]
    critique = duel.critique

    def limited(images: torch.Tensor, labels: torch.Tensor | None) -> object:
        if len(images) > beyond:
            raise error
        return critique(images, labels)

    monkeypatch.setattr(duel, "critique", limited)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError(CPU_SAYS), MemoryError("Unable to allocate")]
)
def test_the_line_names_what_fits(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, *NETS, "trainer.batch_size=16")
    measured = dry_round(run, 16, 1)
    forgotten: list[bool] = []
    monkeypatch.setattr(run.rounds, "forget", lambda: forgotten.append(run.outcome == "running"))
    failing(run, monkeypatch, error, 16)
    taken = fit_line(run, 1, 16).of(16)
    monkeypatch.setattr(shortage, "available", lambda device: round(0.6 * taken))
    monkeypatch.setattr(shortage, "usable", lambda room, device: room)
    with pytest.raises(GanLabError) as told_so:
        fit(run, [])
    found = re.fullmatch(
        r"out of memory at step 1: a round of 16 images takes about (.+), (.+) are there; "
        r"trainer\.accumulation=2 \(pieces of 8 images\) fits; or trainer\.accumulation=auto finds it",
        str(told_so.value),
    )
    assert found is not None
    assert found.groups() == (size(taken), size(round(0.6 * taken)))
    assert taken == pytest.approx(measured, rel=0.05)
    assert told_so.value.exit_code == 1
    assert told_so.value.__cause__ is error
    assert run.outcome == "failed"
    assert True in forgotten  # what graphs hold is there to be given back
    assert all(p.grad is None for n in run.algorithm.networks.values() for p in n.parameters())


@pytest.mark.whole
def test_what_refuses_pieces_is_told_a_smaller_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(
        tmp_path, "model=rpgan", "+technique=[unrolled]", "algorithm.unroll_steps=1", "trainer.batch_size=16"
    )
    taken = fit_line(run, 1, 16).of(16)
    monkeypatch.setattr(shortage, "available", lambda device: round(0.8 * taken))
    monkeypatch.setattr(shortage, "usable", lambda room, device: room)
    most = max(images for images in range(1, 16) if fit_line(run, 1, 16).of(images) <= round(0.8 * taken))
    with pytest.raises(GanLabError, match=rf"trainer\.batch_size={min(most, 8)} fits$"):
        explain_shortage(run, raising(torch.OutOfMemoryError("out of memory")))


def test_a_plainer_line_where_nothing_can_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, "model=gan_small", "trainer.batch_size=8", "trainer.accumulation=2")
    failing(run, monkeypatch, MemoryError(), 0)
    with pytest.raises(GanLabError) as told_so:
        explain_shortage(run, lambda: run.play())
    words = "pieces of 4 images are too large; more trainer.accumulation takes less, or a smaller trainer.batch_size"
    assert str(told_so.value) == f"out of memory at step 1: {words}"


@pytest.mark.parametrize("named", [True, False], ids=["from", "while"])
def test_no_frame_is_held_while_others_are_tried(named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the error nor of those that it was raised from or beside; and gradients are given back."""
    run = tiny_run(tmp_path, "model=gan_small")
    first, second = torch.OutOfMemoryError("CUDA out of memory."), MemoryError()

    def play() -> None:
        run.play()
        assert any(p.grad is not None for net in run.algorithm.networks.values() for p in net.parameters())
        run.step -= 1  # it was in its middle
        try:
            raise first
        except RuntimeError as error:
            if named:
                raise second from error
            raise second  # noqa: B904

    def fit_line(run: Run, *about: object) -> None:
        assert (first.__traceback__, second.__traceback__) == (None, None)
        assert all(p.grad is None for net in run.algorithm.networks.values() for p in net.parameters())
        tried.append(run)
        raise ValueError("nothing to tell")

    tried: list[Run] = []
    monkeypatch.setattr(shortage, "fit_line", fit_line)
    monkeypatch.setattr(shortage, "available", lambda device: 2**20)
    with pytest.raises(GanLabError, match="^out of memory at step 1: pieces of 4 images are too large"):
        explain_shortage(run, play)
    assert tried == [run]


def test_nothing_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path, "model=gan_small", "trainer.batch_size=8")
    monkeypatch.setattr(shortage, "usable", lambda room, device: round(0.5 * fit_line(run, 2, 8).of(1)))
    monkeypatch.setattr(shortage, "fit_line", lambda run, pieces, largest, room, unit: fit_line(run, pieces, largest))
    with pytest.raises(GanLabError, match="no piece of it fits: choose narrower networks"):
        explain_shortage(run, raising(MemoryError()))


def test_between_two_rounds(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    samples = Callback()
    samples.on_step_end = raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))  # type: ignore[method-assign]
    with pytest.raises(GanLabError, match="out of memory after step 1, between two rounds"):
        fit(run, [samples])


def test_other_failures_stay_what_they_are(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    for error in (RuntimeError("shapes cannot be multiplied"), ValueError("memory")):
        with pytest.raises(type(error), match=str(error)):
            explain_shortage(run, raising(error))


def test_networks_that_do_not_fit(
    gan_lab: Callable[..., int], here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def place(self: Engine, module: torch.nn.Module) -> torch.nn.Module:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nGPU 0 has 8 GiB")

    monkeypatch.setattr(assembling.Engine, "place", place)
    assert gan_lab("train", "trainer=debug", "hydra.run.dir=run") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gan-lab train: out of memory while the run was built (CUDA out of memory.")
    assert "narrower networks (model.*.width)" in line
    assert not (here / "run" / "config.yaml").exists()
