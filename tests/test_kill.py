"""kill -9 at any moment: what lies under its final name is whole, and the run goes on to the very same end."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from PIL import Image

from gan_lab.cli import main
from gan_lab.storage import checkpoint
from tests.conftest import TINY, equal, records

KILLS = 3
ENDLESS = "trainer.max_steps=100000"
GAME = ("model=gan_small", "dataset.flip=true", "optimizer/schedule=constant", "engine.threads=1")
BUSY = ("trainer.checkpoint_every=1", "trainer.sample_every=1", "trainer.log_every=1")


def play(folder: str, *words: str) -> None:
    """One session, in a process that is going to be killed."""
    os.chdir(folder)
    sys.exit(main(["train", *words]))


def newest(run: Path) -> int:
    """The number of the newest checkpoint."""
    return max((int(path.stem[5:]) for path in run.glob("checkpoints/step-*.pt")), default=0)


def kill_later(process: BaseProcess, run: Path, step: int, seconds: float) -> None:
    """Kill it `seconds` after it has saved a step behind `step`."""
    end = time.monotonic() + 120
    while newest(run) <= step:
        assert process.is_alive()
        assert time.monotonic() < end, "no step was ever saved"
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    process.join()


def check(run: Path) -> None:
    """Everything under its final name is whole; of the log only the last line may not be."""
    for path in run.glob("checkpoints/*.pt"):
        assert checkpoint.load(path)["step"] > 0
    assert checkpoint.load(run / "checkpoints" / "last.pt")["step"] >= newest(run) - 1
    for path in run.glob("samples/*.png"):
        with Image.open(path) as picture:
            picture.load()
    for line in (run / "metrics.jsonl").read_text().split("\n")[:-1]:
        json.loads(line)
    json.loads((run / "summary.json").read_text())


@pytest.mark.whole
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_again_and_again_it_ends_where_an_undisturbed_run_ends(here: Path, gan_lab: Callable[..., int]) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["gan_lab.training.assemble", "gan_lab.train", "torch._dynamo", "torch.utils.tensorboard"]
    )
    moments, run, step = random.Random(0), here / "run", 0
    for number in range(KILLS):
        words = ("resume=run", ENDLESS) if number else (*TINY, *GAME, *BUSY, ENDLESS, "hydra.run.dir=run")
        process = context.Process(target=play, args=(str(here), *words))
        process.start()
        kill_later(process, run, step, moments.uniform(0, 0.2))
        check(run)
        step = newest(run)
    last = step + 2
    assert gan_lab("train", "resume=run", f"trainer.max_steps={last}") == 0
    check(run)
    assert not list(run.glob("checkpoints/.*.tmp"))
    straight = ("trainer.checkpoint_every=0", "trainer.sample_every=0", f"trainer.max_steps={last}")
    assert gan_lab("train", *TINY, *GAME, *straight, "hydra.run.dir=straight") == 0
    one, other = (checkpoint.load(here / name / "checkpoints" / "last.pt") for name in ("run", "straight"))
    for part in ("step", "networks", "ema", "optimizers", "stream"):
        assert equal(one[part], other[part]), part
    assert records(run) == records(here / "straight")
