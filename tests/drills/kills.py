"""SIGKILL and SIGTERM in the middle of writing: what lies under its name is whole, and all goes on to the same end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from random import Random
from typing import Any

from gan_lab.data.store import Store
from gan_lab.errors import GanLabError
from gan_lab.storage import checkpoint
from tests.conftest import TINY, equal, records
from tests.drills.children import Child, Death, End, command
from tests.test_kill import ENDLESS, check, newest

GAME = (*TINY, "model=gan_small", "dataset.flip=true", "optimizer/schedule=constant", "engine.threads=1")
BUSY = ("trainer.checkpoint_every=1", "trainer.sample_every=1", "trainer.log_every=1")
MEASURED = ("metrics=[fid]", "extractor=pixels", "objective=fid", "callbacks.metrics.every=2", "callbacks.metrics.n=8")
ROUND = "loss/generator"  # which a round's line has, and no measurement's
PARTS = ("step", "networks", "ema", "optimizers", "stream")


def moment(random: Random, events: int) -> Death:
    """Half of them at the very event, the others in what comes right after it."""
    return Death(random.randint(1, events), random.choice((0.0, random.uniform(0, 0.01))))


def whole(run: Path) -> list[str]:
    """What `tests.test_kill.check` finds."""
    try:
        check(run)
    except (AssertionError, GanLabError, OSError, ValueError) as error:
        return [f"{run.name}: {' '.join(str(error).split())[:200] or type(error).__name__}"]
    return []


def died(end: End) -> list[str]:
    """A process that was to be killed and ended otherwise."""
    return [] if end.code == -signal.SIGKILL else [f"was not killed but ended with {end.code}: {end.err[-200:]!r}"]


def apart(one: Path, other: Path) -> list[str]:
    """In what a run differs from an undisturbed one that it is to have ended like. Each line of metrics.jsonl is there
    once; a measurement that a kill has broken off is not taken again, since it may be what has ended the process."""
    first, second = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (one, other))
    found = [f"{one.name}: {part} differs" for part in PARTS if not equal(first[part], second[part])]
    lines, wanted = ({(line["step"], ROUND in line): line for line in records(run)} for run in (one, other))
    if len(lines) != len(records(one)):
        found.append(f"{one.name}: metrics.jsonl has a line twice")
    found += [f"{one.name}: metrics.jsonl has no line of step {step}" for step, own in {*wanted} - {*lines} if own]
    wrong = sorted(step for step, own in lines if lines[step, own] != wanted.get((step, own)))
    return [*found, f"{one.name}: metrics.jsonl differs at steps {wrong}"] if wrong else found


def kill(folder: Path, count: int) -> list[str]:
    """A run that writes a checkpoint, a grid, figures and FID without pause, killed and resumed `count` times."""
    random, run, lost = Random(0), folder / "run", list[str]()
    words = (*GAME, *MEASURED)
    end = command(folder, "train", *words, *BUSY, "trainer.max_steps=1", "hydra.run.dir=run")
    lost += [] if end.code == 0 else [f"the first round: {end.err}"]
    for _ in range(count):
        lost += died(command(folder, "train", "resume=run", ENDLESS, death=moment(random, 90)))
        lost += whole(run)
    last = newest(run) + 2
    end = command(folder, "train", "resume=run", f"trainer.max_steps={last}")
    lost += [] if end.code == 0 else [f"the last session: {end.err}"]
    lost += whole(run) + [f"left behind: {path.name}" for path in run.rglob(".*.tmp")]
    end = command(folder, "train", *words, *BUSY, f"trainer.max_steps={last}", "hydra.run.dir=straight")
    return lost + apart(run, folder / "straight")


def terminate(folder: Path, count: int) -> list[str]:
    """The same by SIGTERM, at any moment of training: it saves the round, says so by its exit code, and goes on."""
    random, run, lost = Random(0), folder / "run", list[str]()
    command(folder, "train", *GAME, *BUSY, "trainer.max_steps=1", "hydra.run.dir=run")
    for _ in range(count):
        before = newest(run)
        child = Child(folder, "train", "resume=run", ENDLESS, before=term_after, given=(random.uniform(0, 0.3),))
        end = child.end()
        if end.code != 128 + signal.SIGTERM or newest(run) < before:
            lost.append(f"ended with {end.code} at step {newest(run)} after {before}: {end.err[-200:]!r}")
        lost += whole(run)
    last = newest(run) + 2
    for words in (("resume=run",), (*GAME, *BUSY, "hydra.run.dir=straight")):
        command(folder, "train", *words, f"trainer.max_steps={last}")
    return lost + apart(run, folder / "straight")


def term_after(seconds: float) -> None:
    """Send this process SIGTERM so long after its first round."""
    from threading import Timer

    from gan_lab.training.run import Run

    played = Run.play

    def play(run: Run, *arguments: Any) -> Any:
        Run.play = played  # type: ignore[method-assign]
        Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return played(run, *arguments)

    Run.play = play  # type: ignore[method-assign]


def store(folder: Path, count: int) -> list[str]:
    """A store that is packed anew over itself, killed: there is always the old one or the new one, and no litter."""
    os.environ["GAN_LAB_DATA"] = str(folder / "root")
    random, lost = Random(0), list[str]()
    command(folder, "data", "pack", "dataset=digits")
    (place,) = [path for path in (folder / "root").iterdir() if (path / "card.json").exists()]
    for _ in range(count):
        before = (place / "images.u8").stat().st_ino
        end = command(folder, "data", "pack", "dataset=digits", "force=true", death=moment(random, 14))
        lost += died(end) if end.code else []
        missing = not place.exists()
        end = command(folder, "data", "pack", "dataset=digits")
        lost += [] if end.code == 0 else [f"packing again: {end.err}"]
        if missing and (place / "images.u8").stat().st_ino != before:
            lost.append("the old store was not put back")
        try:
            Store(place).verify()
        except GanLabError as error:
            lost.append(str(error))
    command(folder, "data", "pack", "dataset=digits", "force=true")
    return lost + [f"left behind: {name}" for name in os.listdir(place.parent) if name.startswith(f".{place.name}")]


def sweep(folder: Path, count: int) -> list[str]:
    """Sweeps of two jobs, killed and taken up again until each is done: every job ends as it does undisturbed."""
    random, lost, number, kills = Random(0), list[str](), 0, 0
    words = (*GAME, *BUSY, "seed=0,1", "trainer.max_steps=3")
    command(folder, "train", "-m", *words, "hydra.sweep.dir=straight")
    while kills < count:
        place = folder / f"sweep-{number}"
        begun = (place / "multirun.yaml").exists()
        own = (f"resume={place.name}",) if begun else ("-m", *words, f"hydra.sweep.dir={place.name}")
        end = command(folder, "train", *own, death=moment(random, 80))
        kills += end.code == -signal.SIGKILL
        if end.code == 0:
            for job in sorted(path.name for path in (folder / "straight").iterdir() if (path / "checkpoints").exists()):
                lost += apart(place / job, folder / "straight" / job)
            number += 1
        elif end.code != -signal.SIGKILL:
            lost.append(f"{own[0]}: ended with {end.code}: {end.err[-300:]!r}")
            number += 1
    return lost
