"""Metrics in the loop: logged, remembered over a resumption, the best checkpoint kept, an early end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from PIL import Image

from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.callbacks import samples
from gan_lab.callbacks.metrics import Metrics
from gan_lab.data.dataset import Dataset
from gan_lab.errors import ConfigError
from gan_lab.features.pixels import Pixels
from gan_lab.health.probe import Probe
from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.reference import Reference
from gan_lab.records.sweep import Job
from gan_lab.storage import checkpoint
from gan_lab.storage.files import read_json
from tests.callbacks.test_samples import Black, pairs, with_sampler
from tests.compose import tiny_run
from tests.conftest import TINY, equal

MEASURED = ("extractor=pixels", "callbacks.metrics.every=2", "callbacks.metrics.n=50", "objective=fid")
NAME = "fid/pixels-area8-50"


def lines(run: Path) -> list[tuple[int, float]]:
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line[NAME]) for line in found if NAME in line]


def test_logged_and_the_best_kept(trained: Callable[..., Path]) -> None:
    run = trained("run", *MEASURED, "trainer.max_steps=7")
    seen = lines(run)
    assert [step for step, _ in seen] == [2, 4, 6]
    value, step = min((value, step) for step, value in seen)
    summary = read_json(run / "summary.json")
    assert summary["best"] == {"name": NAME, "value": value, "step": step, "waited": (6 - step) // 2}
    assert checkpoint.load(run / "checkpoints" / "best.pt")["step"] == step
    card = summary["metrics"][NAME]["card"]
    assert card["step"] == 7  # the last step is measured, too, but no line of it stays in the log


@pytest.mark.whole
def test_a_run_goes_on_as_if_never_stopped(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """Weights, figures and the best so far: with metrics, resumed, equal to without_trace, and to a run without any."""
    straight = trained("straight", *MEASURED, "trainer.max_steps=6")
    resumed = trained("resumed", *MEASURED, "trainer.max_steps=3")
    assert gan_lab("train", f"resume={resumed}", "trainer.max_steps=6") == 0
    unmeasured = trained("unmeasured", "trainer.max_steps=6")
    assert lines(straight) == lines(resumed)
    states = [checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, resumed, unmeasured)]
    for key in ("networks", "ema", "optimizers", "stream"):
        assert equal(states[0][key], states[1][key])
        assert equal(states[0][key], states[2][key])
    assert states[0]["best"] == states[1]["best"]


def test_it_ends_early(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """A generator that does not move is never better than it was."""
    frozen = ("optimizer.generator.lr=0", "optimizer.discriminator.lr=1e-4", "algorithm.ema.decay=0")
    run = trained("run", *MEASURED, *frozen, "callbacks.metrics.patience=2", "trainer.max_steps=50", "model=gan_small")
    summary = read_json(run / "summary.json")
    assert summary["step"] == 6
    assert summary["state"] == "finished"
    assert "has not fallen below" in summary["ended"]
    assert Job(folder=run.name).read(run.parent, 50, "fid")  # a sweep does not run it again


class Breaks(Measure, Accumulator):
    """Fails when it is asked for its value, and has seen which checkpoints there were when it began."""

    features = False
    seen: ClassVar[list[list[str]]] = []

    def begin(self, n: int) -> Accumulator:
        self.seen.append(sorted(path.name for path in Path("run/checkpoints").glob("step-*.pt")))
        return self

    def add(self, part: Part) -> None:
        assert len(part.images)

    def values(self, reference: Reference) -> list[Value]:
        raise RuntimeError("not today")


BREAKS = f"+metrics.breaks._target_={__name__}.Breaks"


def test_one_that_fails_is_a_warning_and_the_step_is_saved_before(trained: Callable[..., Path]) -> None:
    Breaks.seen.clear()
    run = trained("run", *MEASURED, BREAKS, "trainer.max_steps=5", "trainer.checkpoint_every=2")
    assert [step for step, _ in lines(run)] == [2, 4]
    told = [line for line in (run / "train.log").read_text().splitlines() if "breaks" in line]
    assert [line.rpartition("metrics: ")[2] for line in told] == [
        f"breaks is not taken at step {step}: RuntimeError: not today" for step in (2, 4, 5)
    ]
    steps = [f"step-{step:08d}.pt" for step in (2, 4, 5)]
    assert Breaks.seen == [steps[:1], steps[:2], steps]
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    assert list(state["measured"]) == [NAME]
    assert state["measured"][NAME]["card"]["step"] == 5  # what was measured then is in the checkpoint of that step


def test_nothing_that_watches_ends_a_run(trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the generator makes for metrics and pictures, nor a look, nor a picture that cannot be written."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(NoiseSampler, "drawn", fail)
    monkeypatch.setattr(Probe, "look", fail)
    monkeypatch.setattr(samples, "write_png", fail)
    watching = ("callbacks.health.every=2", "trainer.sample_every=2", "trainer.max_steps=4")
    run = trained("run", *MEASURED, *watching)
    told = (run / "train.log").read_text()
    for what in (
        "measuring at step 2",
        "the picture of step 4",
        "the picture real.png",
        "monitor, which is off",
    ):
        assert what in told
    assert told.count("health monitor") == 1
    assert read_json(run / "summary.json")["state"] == "finished"


def test_images_that_are_too_few(gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One image: it is said before the first round, and the run goes on."""
    (here / "one").mkdir()
    Image.new("RGB", (16, 16), (9, 99, 200)).save(here / "one" / "a.png")
    words = ("dataset=folder", "dataset.path=one", "dataset.image_shape=[3,16,16]", "model=gan_small", *MEASURED)
    assert gan_lab("train", *TINY, *words, "hydra.run.dir=run") == 0
    assert "fid is not taken: it needs 2 images of the data and 2 generated ones, and there are 1 and n=50" in (
        capsys.readouterr().out
    )
    assert (here / "run" / "checkpoints" / "last.pt").exists()


class Endless(Pixels):
    """Is never ready, and somebody stops the run meanwhile."""

    def prepare(self, data: Dataset, device: torch.device) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("it went on")


def test_a_signal_is_heard_while_an_extractor_is_made_ready(gan_lab: Callable[..., int], here: Path) -> None:
    """As between two rounds: what there is is saved, and the run can go on."""
    words = (*MEASURED, f"extractor._target_={__name__}.Endless", "model=gan_small", "hydra.run.dir=run")
    assert gan_lab("train", *TINY, *words) == 143
    summary = read_json(here / "run" / "summary.json")
    assert (summary["state"], summary["step"]) == ("stopped", 0)
    assert (
        gan_lab("train", "resume=run", "extractor._target_=gan_lab.features.pixels.Pixels", f"trust=[{__name__}]") == 0
    )
    assert read_json(here / "run" / "summary.json")["state"] == "finished"


def test_an_objective_that_nobody_asked_for_is_not_missed(
    trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "~callbacks.metrics")
    assert "is not a figure" not in capsys.readouterr().out


def test_the_best_checkpoint_is_that_of_pairs_which_training_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Black images are -1 where test targets are 1: 20 log10(2 / 2) = 0 dB. Of training's, which are gray, 6."""
    run = with_sampler(
        tiny_run(tmp_path / "run", *pairs(tmp_path, "train", "test"), "objective=psnr"), Black(), monkeypatch
    )
    run.plan.max_steps, run.step = 8, 4
    metrics = Metrics(every=4, n=100)
    metrics.on_fit_start(run)
    metrics.on_step_end(run)
    (name,) = (name for name in run.measured if name.startswith("psnr/"))
    assert run.measured[name].card["reference"]["split"] == "test"
    assert run.measured[name].value == pytest.approx(0.0, abs=1e-6)
    assert run.best is not None
    assert (run.best.name, run.best.value, run.best.step) == (name, run.measured[name].value, 4)
    assert run.improved


def test_what_is_refused() -> None:
    for arguments, told in (({"every": -1}, "every"), ({"n": 1}, "metrics.n"), ({"patience": 0}, "patience")):
        with pytest.raises(ConfigError, match=told):
            Metrics(**arguments)
