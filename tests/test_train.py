"""The whole thing from the command line: run folders, exact resumption, stops, failures."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gan_lab.storage import checkpoint
from tests.conftest import TINY, equal, records, whole

Cli = Callable[..., int]
Train = Callable[..., Path]


def test_a_run_folder_holds_everything(trained: Train, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("run")
    expected = {
        ".hydra",
        "config.yaml",
        "checkpoints",
        "samples",
        "events",
        "metrics.jsonl",
        "summary.json",
        "train.log",
    }
    assert {p.name.partition(".out")[0] for p in run.iterdir()} - {".lock"} == expected
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["state"], summary["step"], summary["max_steps"], summary["seed"]) == ("finished", 2, 2, 0)
    assert len(summary["dataset"]["sha256"]) == 64
    assert {"torch", "gan-lab", "python"} <= summary["versions"].keys()
    assert summary["figures"]["images_seen"] == summary["images_seen"] == 8
    assert [record["step"] for record in records(run)] == [1, 2]
    assert sorted(p.name for p in (run / "samples").iterdir()) == ["real.png", "step-00000002.png"]
    state = torch.load(run / "checkpoints" / "last.pt", weights_only=True)
    assert state.keys() >= checkpoint.KEYS
    printed = capsys.readouterr().out
    for line in (
        "finished at step 2 of 2",
        "tensorboard --logdir run",
        "gan-lab sample run=run",
        "resume=run trainer.max_steps=4",
    ):
        assert line in printed


@pytest.mark.parametrize("model", ["dcgan", *whole(["wgan_gp", "gan", "gan_small"])])
def test_straight_equals_resumed_byte_for_byte(model: str, trained: Train, gan_lab: Cli) -> None:
    common = (f"model={model}", "loss/regularizers=[r1]", "optimizer/schedule=constant", "trainer.log_every=2")
    if model == "wgan_gp":
        common = (f"model={model}", "trainer.log_every=2")
    straight = trained("straight", *common, "trainer.max_steps=8", "trainer.checkpoint_every=0")
    halved = trained("halved", *common, "trainer.max_steps=3", "trainer.checkpoint_every=0")
    assert gan_lab("train", "resume=halved", "trainer.max_steps=8") == 0
    a, b = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, halved))
    for key in ("step", "images_seen", "networks", "ema", "optimizers", "algorithm", "augmentation", "stream"):
        assert equal(a[key], b[key]), key
    assert records(straight) == records(halved)
    assert [record["step"] for record in records(halved)] == [2, 4, 6, 8]


def test_schedules_accumulation_and_lazy_terms_resume_exactly(trained: Train, gan_lab: Cli) -> None:
    common = (
        "optimizer/schedule=cosine",
        "optimizer.schedule.steps=8",
        "trainer.accumulation=2",
        "loss/regularizers=[r1,r2]",
        "loss.regularizers.r2.every=3",
        "loss=relativistic",
        "optimizer=rmsprop",
    )
    straight = trained("straight", *common, "trainer.max_steps=8")
    halved = trained("halved", *common, "trainer.max_steps=4")
    assert gan_lab("train", "resume=halved", "trainer.max_steps=8") == 0
    a, b = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, halved))
    assert equal(a["networks"], b["networks"])
    assert equal(a["optimizers"], b["optimizers"])
    assert records(straight) == records(halved)


def scalar_steps(run: Path) -> list[int]:
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    return [event.step for event in events.Scalars("loss/generator")]


def test_tensorboard_holds_everything_once(trained: Train, gan_lab: Cli) -> None:
    run = trained("run", "trainer.max_steps=4", "trainer.checkpoint_every=4")
    # go on from an older moment, as after a kill: steps 3 and 4 are played again
    shutil.rmtree(run / "checkpoints")
    older = trained("older", "trainer.max_steps=2")
    shutil.copytree(older / "checkpoints", run / "checkpoints")
    assert gan_lab("train", "resume=run", "trainer.max_steps=6") == 0
    assert scalar_steps(run) == [1, 2, 3, 4, 5, 6]
    assert [record["step"] for record in records(run)] == [1, 2, 3, 4, 5, 6]
    events = EventAccumulator(str(run))
    events.Reload()
    tags = events.Tags()
    wanted = {
        "loss/discriminator",
        "loss/generator",
        "terms/discriminator/adversarial",
        "score/real",
        "score/fake",
        "training/gradient_norm/generator",
        "training/learning_rate/discriminator",
        "system/images_per_second",
        "system/wait_share",
    }
    assert wanted <= set(tags["scalars"])
    assert set(tags["images"]) == {"samples", "samples/real"}
    assert set(tags["histograms"]) == {"score/real/histogram", "score/fake/histogram"}
    assert "config/text_summary" in tags["tensors"]
    assert {tag for tag in events.summary_metadata if tag.startswith("_hparams_")} == {
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
    }


def test_nothing_to_do(trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    trained("run")
    capsys.readouterr()
    assert gan_lab("train", "resume=run") == 0
    assert "nothing to do: at 2 of 2 steps" in capsys.readouterr().out


def test_changes_are_shown_and_those_of_the_game_refused(
    trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run", "optimizer.generator.lr=1e-3")
    before = (run / "config.yaml").read_text(), (run / ".hydra" / "overrides.yaml").read_text()
    capsys.readouterr()
    assert gan_lab("train", "resume=run", "trainer.max_steps=4", "loss=hinge") == 2
    printed = capsys.readouterr()
    assert "trainer.max_steps: 2 -> 4" in printed.out
    assert "loss.adversarial._target_: " in printed.out
    assert "would change the game" in printed.err
    assert "resume_force=true" in printed.err
    assert before == ((run / "config.yaml").read_text(), (run / ".hydra" / "overrides.yaml").read_text())
    assert (
        gan_lab("train", "resume=run", "trainer.max_steps=4", "optimizer.generator.lr=1e-4", "resume_force=true") == 0
    )
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    assert state["step"] == 4
    assert state["optimizers"]["generator"]["param_groups"][0]["lr"] == 1e-4
    capsys.readouterr()
    assert gan_lab("train", "resume=run", "trainer.max_steps=5") == 0  # what was accepted is the run's own now
    assert "optimizer" not in capsys.readouterr().out


def test_a_typed_reference_survives_resumption(trained: Train, gan_lab: Cli) -> None:
    run = trained("run", "optimizer.discriminator.lr=${optimizer.generator.lr}", "optimizer.generator.lr=3e-4")
    assert gan_lab("train", "resume=run", "trainer.max_steps=3") == 0
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    assert state["optimizers"]["discriminator"]["param_groups"][0]["lr"] == 3e-4
    assert "optimizer.generator.lr=3e-4" in state["config"]["overrides"]


def test_resuming_another_dataset_is_refused(trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    trained("run")
    capsys.readouterr()
    assert gan_lab("train", "resume=run", "trainer.max_steps=4", "dataset.image_shape=[1,32,32]") == 2
    assert "dataset.image_shape" in capsys.readouterr().err


def test_a_folder_that_holds_a_run_is_not_overwritten(
    trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run")
    before = (run / "metrics.jsonl").read_text()
    assert gan_lab("train", *TINY, "hydra.run.dir=run") == 2
    assert "already holds a run" in capsys.readouterr().err
    assert (run / "metrics.jsonl").read_text() == before


def test_a_mistake_found_while_building_leaves_no_run_folder(
    gan_lab: Cli, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("train", *TINY, "optimizer.generator.lr=-1") == 2
    assert capsys.readouterr().err == "gan-lab train: optimizer.generator.lr: -1 must be at least 0\n"
    assert not list((here / "outputs").rglob("train.log"))
    (here / "run").mkdir()
    (here / "run" / "notes.txt").write_text("mine")
    assert gan_lab("train", *TINY, "optimizer.generator.lr=-1", "hydra.run.dir=run") == 2
    assert (here / "run" / "notes.txt").read_text() == "mine"
    (here / "logs").mkdir()
    (here / "logs" / "train.log").write_text("mine\n")
    assert gan_lab("train", *TINY, "optimizer.generator.lr=-1", "hydra.run.dir=logs") == 2
    assert (here / "logs" / "train.log").read_text().startswith("mine\n")


def test_an_objective_that_is_no_figure_is_a_warning_not_a_lost_run(
    trained: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run", "objective=fid")
    assert "objective=fid is not a figure of this run (it has: loss/" in capsys.readouterr().out
    assert json.loads((run / "summary.json").read_text())["state"] == "finished"


def test_a_diverging_run_names_term_and_step_and_keeps_the_good_checkpoint(
    gan_lab: Cli, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diverging = ("loss=wasserstein", "optimizer=sgd", "optimizer.generator.lr=1e18", "optimizer.discriminator.lr=1e18")
    args = (*TINY, *diverging, "trainer.max_steps=40", "trainer.checkpoint_every=1", "hydra.run.dir=run")
    assert gan_lab("train", *args) == 1
    printed = capsys.readouterr().err
    assert "at step " in printed
    assert "is nan" in printed or "is inf" in printed or "is not finite" in printed
    assert printed.count("\n") == 1
    summary = json.loads((here / "run" / "summary.json").read_text())
    assert summary["state"] == "failed"
    assert "NonFiniteError" in summary["error"]
    for path in (here / "run" / "checkpoints").glob("*.pt"):
        state = checkpoint.load(path)
        assert all(t.isfinite().all() for net in state["networks"].values() for t in net.values())


@pytest.mark.parametrize("which", ["jsonl", "tensorboard"])
def test_a_failing_logger_never_stops_training(
    which: str, trained: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gan_lab.loggers.jsonl import JsonLines
    from gan_lab.loggers.tensorboard import TensorBoard

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"jsonl": JsonLines, "tensorboard": TensorBoard}[which], "scalars", fail)
    run = trained("run")
    assert f"logger.{which} failed and is off from here on" in capsys.readouterr().out
    assert json.loads((run / "summary.json").read_text())["state"] == "finished"


def test_a_checkpoint_that_cannot_be_written_is_one_line(
    gan_lab: Cli, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = torch.save

    def full(state: Any, file: Any) -> None:
        if state["step"] > 2:
            raise OSError(28, "No space left on device")
        save(state, file)

    monkeypatch.setattr(torch, "save", full)
    assert gan_lab("train", *TINY, "trainer.max_steps=6", "trainer.checkpoint_every=1", "hydra.run.dir=run") == 1
    message = capsys.readouterr().err
    assert "step-00000003.pt: no space left on device" in message
    assert message.count("\n") == 1
    assert checkpoint.load(here / "run" / "checkpoints" / "last.pt")["step"] == 2
    assert checkpoint.load(here / "run" / "checkpoints" / "step-00000001.pt")["step"] == 1
    monkeypatch.setattr(torch, "save", save)
    assert gan_lab("train", "resume=run") == 0


@pytest.mark.parametrize("model", ["rpgan", "dcgan", "wgan_gp"])
def test_bf16_trains(model: str, trained: Train) -> None:
    run = trained("run", f"model={model}", "precision=bf16", "trainer.max_steps=3")
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    assert state["config"]["precision"] == "bf16"
    assert all(t.dtype == torch.float32 for t in state["networks"]["generator"].values() if t.is_floating_point())
    assert all(abs(record["loss/discriminator"]) < 1e3 for record in records(run))


def test_same_seed_same_run_other_seed_other_run(trained: Train) -> None:
    a, b, c = trained("a", "seed=3"), trained("b", "seed=3"), trained("c", "seed=4")
    assert records(a) == records(b)
    assert records(a) != records(c)


@pytest.fixture
def start(here: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start("key=value", ...)`: a run in its own process, long enough to be interrupted; none outlives its test."""
    started = []

    def run(*overrides: str) -> subprocess.Popen[str]:
        settings = ("hydra.run.dir=run", "trainer.max_steps=100000", "engine.threads=1", *overrides)
        argv = [sys.executable, "-m", "gan_lab", "train", *TINY, *settings]
        started.append(subprocess.Popen(argv, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.whole)]
)
def test_a_signal_finishes_the_step_saves_and_says_so(
    number: signal.Signals,
    code: int,
    here: Path,
    gan_lab: Cli,
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    process = start("trainer.checkpoint_every=5", "trainer.sample_every=0")
    wait_for(here / "run" / "checkpoints" / "last.pt", process)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=180)
    assert process.returncode == code, printed
    assert "finishing this step, then saving" in printed
    assert "stopped at step" in printed
    summary = json.loads((here / "run" / "summary.json").read_text())
    state = checkpoint.load(here / "run" / "checkpoints" / "last.pt")
    assert summary["state"] == "stopped"
    assert state["step"] == summary["step"] > 0
    assert gan_lab("train", "resume=run", f"trainer.max_steps={state['step'] + 2}") == 0


def test_a_run_killed_before_its_first_checkpoint_starts_over_in_place(
    trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run", "trainer.max_steps=3")
    whole = records(run)
    shutil.rmtree(run / "checkpoints")
    assert gan_lab("train", "resume=run") == 0
    assert records(run) == whole
    shutil.rmtree(run / "checkpoints")
    (run / "config.yaml").unlink()
    capsys.readouterr()
    assert gan_lab("train", "resume=run") == 0
    assert records(run) == whole
    assert "starting it from its first step" in capsys.readouterr().out


AUGMENTATION = "augmentation:\n  _target_: gan_lab.augmentations.chain.Chain"


def test_a_stored_run_cannot_name_foreign_code(
    trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run")
    text = (run / "config.yaml").read_text()
    mark = run / "executed"
    for target in ("pathlib.Path.touch", "torch.nn.functional.os.system", "gan_lab.storage.files.shutil.rmtree"):
        hostile = text.replace(AUGMENTATION, f"augmentation:\n  _target_: {target}\n  _args_: ['{mark}']")
        assert hostile != text
        (run / "config.yaml").write_text(hostile)
        assert gan_lab("train", "resume=run", "trainer.max_steps=4") == 2
        assert f"names {target}" in capsys.readouterr().err
    (run / "config.yaml").write_text(text.replace("objective: loss/generator", "objective: ${oc.env:HOME}"))
    assert gan_lab("train", "resume=run", "trainer.max_steps=4") == 2
    printed = capsys.readouterr()
    assert "interpolation" in printed.err
    assert os.environ["HOME"] not in printed.err
    assert not mark.exists()


def test_stored_overrides_reach_neither_hydra_nor_trust(trained: Train, gan_lab: Cli) -> None:
    run = trained("run")
    mark = run / "executed"
    hostile = [
        "trainer=debug",
        "trainer.batch_size=4",
        f"+hydra.callbacks.x={{_target_: pathlib.Path.touch, _args_: ['{mark}']}}",
        f"hydra.run.dir={run / 'elsewhere'}",
        "trust=[pathlib]",
    ]
    (run / ".hydra" / "overrides.yaml").write_text(json.dumps(hostile))
    text = (run / "config.yaml").read_text()
    assert gan_lab("train", "resume=run", "trainer.max_steps=3") == 0
    assert checkpoint.load(run / "checkpoints" / "last.pt")["step"] == 3
    (run / ".hydra" / "overrides.yaml").write_text(json.dumps(hostile))
    (run / "config.yaml").write_text(
        text.replace(AUGMENTATION, f"augmentation:\n  _target_: pathlib.Path.touch\n  _args_: ['{mark}']")
    )
    assert gan_lab("train", "resume=run", "trainer.max_steps=4") == 2
    assert not mark.exists()
    assert not (run / "elsewhere").exists()


def test_own_network_from_the_working_directory(
    here: Path, trained: Train, gan_lab: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "my_nets.py").write_text(
        "import torch\n"
        "class Critic(torch.nn.Module):\n"
        "    def __init__(self, image_shape):\n"
        "        super().__init__()\n"
        "        c, h, w = image_shape\n"
        "        self.layer = torch.nn.Linear(c * h * w, 1)\n"
        "    def forward(self, images, label=None):\n"
        "        return self.layer(images.flatten(1)).squeeze(1)\n"
    )
    (here / "mine" / "model").mkdir(parents=True)
    (here / "mine" / "model" / "own.yaml").write_text(
        "# @package _global_\n"
        "model:\n"
        "  generator:\n"
        "    _target_: gan_lab.models.mlp.Generator\n"
        "    image_shape: ${dataset.image_shape}\n"
        "    latent_dim: ${algorithm.latent.dim}\n"
        "    width: 8\n"
        "  discriminator:\n"
        "    _target_: my_nets.Critic\n"
        "    image_shape: ${dataset.image_shape}\n"
    )
    try:
        run = trained("run", "model=own", "--config-dir", "mine")
        assert gan_lab("train", "resume=run", "trainer.max_steps=3", "--config-dir", "mine") == 2
        assert "add trust=[my_nets]" in capsys.readouterr().err
        assert gan_lab("train", "resume=run", "trainer.max_steps=3", "trust=[my_nets]", "--config-dir", "mine") == 0
        assert checkpoint.load(run / "checkpoints" / "last.pt")["step"] == 3
        shutil.rmtree(run / "checkpoints")
        (run / "config.yaml").unlink()  # a run that stopped before it had begun is its list of overrides alone
        capsys.readouterr()
        assert gan_lab("train", "resume=run", "--config-dir", "mine") == 2
        assert "add trust=[my_nets]" in capsys.readouterr().err
    finally:
        sys.modules.pop("my_nets", None)
