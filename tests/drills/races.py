"""Two at once in one folder, for one store; and clocks that jump."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

from gan_lab.data.store import Store
from gan_lab.errors import GanLabError
from tests.drills.children import Child, command, one_line
from tests.drills.kills import BUSY, GAME, apart, whole
from tests.test_kill import newest


def one_folder(folder: Path, count: int) -> list[str]:
    """Two processes resume one run at the same moment: one trains, the other is refused in one line; the run ends as
    if it had been alone."""
    lost, run = list[str](), folder / "run"
    command(folder, "train", *GAME, *BUSY, "trainer.max_steps=1", "hydra.run.dir=run")
    for _ in range(count):
        last = newest(run) + 40
        both = [Child(folder, "train", "resume=run", f"trainer.max_steps={last}") for _ in range(2)]
        ends = sorted((child.end() for child in both), key=lambda end: end.code)
        lost += [] if ends[0].code == 0 else [f"neither has trained: {ends[0].err}"]
        late = ends[1].code == 0 and "nothing to do" in ends[1].out + ends[0].out
        lost += [] if late else one_line(ends[1], "another process is training this run")
        lost += whole(run)
        lost += [] if newest(run) == last else [f"ended at step {newest(run)}, not {last}"]
    command(folder, "train", *GAME, *BUSY, f"trainer.max_steps={newest(run)}", "hydra.run.dir=straight")
    return lost + apart(run, folder / "straight")


def one_store(folder: Path, count: int) -> list[str]:
    """Three processes pack and train on one store that is not there yet: all end well, with one store and no litter."""
    lost = list[str]()
    for number in range(count):
        root = folder / f"root-{number}"
        os.environ["GAN_LAB_DATA"] = str(root)
        words = [("data", "pack", "dataset=digits"), ("data", "pack", "dataset=digits", "force=true")]
        words.append(("train", *GAME, "trainer.max_steps=1", f"hydra.run.dir=run-{number}"))
        for end in [child.end() for child in [Child(folder, *each) for each in words]]:
            lost += [] if end.code == 0 else [f"ended with {end.code}: {end.err[-300:]!r}"]
        left = os.listdir(root)
        lost += [] if len([name for name in left if name.startswith("digits")]) == 1 else [f"stores: {left}"]
        lost += [f"left behind: {name}" for name in left if name.startswith(".digits")]
        for card in root.glob("*/card.json"):
            try:
                Store(card.parent).verify()
            except GanLabError as error:
                lost.append(str(error))
    return lost


def clock(folder: Path, count: int) -> list[str]:
    """The clock jumps by up to ten years, forwards and back, before every round: the run ends as it does otherwise."""
    lost = list[str]()
    command(folder, "train", *GAME, *BUSY, "trainer.max_steps=6", "hydra.run.dir=straight")
    for number in range(count):
        name = f"run-{number}"
        own = {"before": jump, "given": (number,)}
        for words in ((*GAME, *BUSY, "trainer.max_steps=3", f"hydra.run.dir={name}"), (f"resume={name}",)):
            end = command(folder, "train", *words, *(("trainer.max_steps=6",) if len(words) == 1 else ()), **own)
            lost += [] if end.code == 0 else [f"ended with {end.code}: {end.err[-300:]!r}"]
        lost += whole(folder / name) + apart(folder / name, folder / "straight")
    return lost


def jump(seed: int) -> None:
    """From here on the clock of this process jumps before every round: `time.time`, not what measures intervals."""
    from gan_lab.training.run import Run

    random, played, real, offset = Random(seed), Run.play, time.time, 0.0

    def play(run: Run) -> None:
        nonlocal offset
        offset = random.uniform(-3e8, 3e8)
        played(run)

    Run.play = play  # type: ignore[method-assign]
    time.time = lambda: real() + offset
