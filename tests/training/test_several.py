"""Two processes that the command has started, and what becomes of a run when one of them falls ill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.storage import checkpoint
from tests.conftest import equal

LOOKERS = ("metrics", "health", "scores", "samples")
TINY = (
    *("trainer=debug", "trainer.batch_size=4", "trainer.checkpoint_every=1", "device=cpu", "precision=fp32"),
    *("logger={}", "engine.threads=1", *(f"~callbacks.{name}" for name in LOOKERS)),
    *("optimizer=sgd", "optimizer.generator.lr=1e-2", "optimizer.discriminator.lr=1e-2"),  # see tests.engine.processes
)
TWO = "engine.processes=2"
SICK = ("engine._target_=tests.distributed.sick.SickEngine", TWO)


def last(run: Path) -> dict[str, Any]:
    return checkpoint.load(run / "checkpoints" / "last.pt")


def apart(run: Path, other: Path) -> float:
    """The largest difference of weights of two runs, which are at the same place."""
    one, two = last(run), last(other)
    assert (one["step"], one["images_seen"], one["stream"]) == (two["step"], two["images_seen"], two["stream"])
    pairs = [(net[key], two["networks"][role][key]) for role, net in one["networks"].items() for key in net]
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs if isinstance(a, torch.Tensor))


def train(gan_lab: Callable[..., int], folder: str, *words: str, steps: int = 3) -> int:
    return gan_lab("train", *TINY, f"trainer.max_steps={steps}", f"hydra.run.dir={folder}", *words)


@pytest.mark.whole
def test_two_processes_train_what_one_does(gan_lab: Callable[..., int], here: Path, capfd: Any) -> None:
    """There is one run, whose other process speaks to a file; any number of processes go on with it."""
    assert train(gan_lab, "one") == 0
    assert train(gan_lab, "two", TWO, "objective=loss/generator", steps=1) == 0
    assert {path.name for path in (here / "two").glob("*.log")} == {"rank-1.log", "train.log"}
    assert "process 2 of 2" in (here / "two/rank-1.log").read_text()
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("process 1 of 2") == 1
    assert "process 2 of 2" not in out
    for steps, processes in ((2, 1), (3, 2)):
        words = (f"engine.processes={processes}", f"trainer.max_steps={steps}")
        assert gan_lab("train", "resume=two", *words) == 0
    assert apart(here / "one", here / "two") < 1e-6
    assert json.loads((here / "two/summary.json").read_text())["state"] == "finished"


@pytest.mark.whole
@pytest.mark.parametrize("rank", [0, 1])
def test_all_begin_again_where_one_was_killed(
    rank: int, gan_lab: Callable[..., int], here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = (*SICK, "+engine.how=SIGKILL", f"+engine.rank={rank}", "optimizer=adam")
    assert train(gan_lab, "well", TWO, "optimizer=adam") == 0
    assert train(gan_lab, "ill", *words, "engine.restarts=1") == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert f"process {rank} was ended by SIGKILL (out of memory?); all begin again" in out
    well, ill = last(here / "well"), last(here / "ill")
    assert all(equal(well[part], ill[part]) for part in ("networks", "ema", "optimizers", "stream", "step"))


@pytest.mark.whole
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("+engine.how=SIGKILL",), "process 1 was ended by SIGKILL (out of memory?)"),
        (("+engine.how=error",), "process 1: ValueError: odd (traceback in rank-1.log)"),
        (("+engine.how=hang", "engine.timeout=5"), "process 1 did not answer for 5 seconds (engine.timeout)"),
        (("+engine.how=memory", "engine.restarts=1"), "process 1: out of memory at step 2: a round of 2 images"),
    ],
)
def test_one_that_is_lost_ends_all_with_a_line(
    words: tuple[str, ...], line: str, gan_lab: Callable[..., int], here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train(gan_lab, "ill", *SICK, *words) == 1
    out, err = capfd.readouterr()
    assert err.startswith(f"gan-lab train: {line}")
    assert err.count("\n") == 1
    assert "again" not in out
    summary = json.loads((here / "ill/summary.json").read_text())
    assert (summary["state"], summary["error"]) == ("failed", err.removeprefix("gan-lab train: ").rstrip())
    assert last(here / "ill")["step"] == 1
    assert gan_lab("train", "resume=ill", "engine.processes=1", "trust=[tests.distributed.sick]") == 0


@pytest.mark.whole
def test_a_signal_that_one_is_sent_stops_all(gan_lab: Callable[..., int], here: Path) -> None:
    assert train(gan_lab, "ill", *SICK, "+engine.how=SIGTERM", "trainer.checkpoint_every=0") == 143
    assert [path.name for path in (here / "ill/checkpoints").glob("step-*")] == ["step-00000002.pt"]
    assert json.loads((here / "ill/summary.json").read_text())["state"] == "stopped"


@pytest.mark.whole
def test_what_is_refused_leaves_nothing(
    gan_lab: Callable[..., int], here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train(gan_lab, "odd", TWO, "trainer.batch_size=5") == 2
    assert capfd.readouterr().err == "gan-lab train: trainer.batch_size=5: 2 processes cannot share it equally\n"
    assert not (here / "odd").exists()


@pytest.mark.whole
def test_all_go_back_where_the_first_decides_so(gan_lab: Callable[..., int], here: Path) -> None:
    """Only the first has callbacks."""
    words = ("+callbacks.asks._target_=tests.training.test_rollback.Asks", "trainer.checkpoint_every=2")
    assert train(gan_lab, "one", *words, steps=6) == 0
    assert train(gan_lab, "two", *words, TWO, steps=6) == 0
    assert "rolled back from step 5 to step 2" in (here / "two/rank-1.log").read_text()
    assert apart(here / "one", here / "two") < 1e-6
