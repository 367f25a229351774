"""One of two processes of a run is killed: all end, or all begin again, and the weights are as undisturbed."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from gan_lab.engine.engine import Engine
from gan_lab.storage import checkpoint
from tests.conftest import equal
from tests.drills.children import command, one_line
from tests.drills.kills import PARTS
from tests.training.test_several import TINY

STEPS = 6
MOVES = 2  # of a round
WORDS = (*TINY, "optimizer=adam", "engine.processes=2", "engine.timeout=60", f"trainer.max_steps={STEPS}")


class MortalEngine(Engine):
    """The process `rank` is killed `seconds` after it has begun the move `move`, once: `mark` is a file that says that
    it was."""

    def __init__(self, *, rank: int, move: int, seconds: float, mark: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._mortal = self.world.rank == rank and not Path(mark).exists()
        self._move, self._seconds, self._mark = move, seconds, mark
        self._moves = 0

    def minimize(self, *args: Any, **options: Any) -> Any:
        self._moves += 1
        if self._mortal and self._moves == self._move:
            Path(self._mark).touch()
            if self._seconds:
                threading.Thread(target=self._die, daemon=True).start()
            else:
                self._die()
        return super().minimize(*args, **options)

    def _die(self) -> None:
        time.sleep(self._seconds)
        os.kill(os.getpid(), signal.SIGKILL)


def ranks(folder: Path, count: int) -> list[str]:
    """A random rank at a random move; every other time without a restart, and then the run is resumed."""
    random, lost = Random(0), list[str]()
    end = command(folder, "train", *WORDS, "hydra.run.dir=well")
    lost += [] if end.code == 0 else [f"undisturbed: {end.err}"]
    for number in range(count):
        name, rank, restarts = f"ill-{number}", random.randint(0, 1), number % 2
        move, seconds = random.randint(1, MOVES * (STEPS - 1)), random.choice((0.0, random.uniform(0, 0.03)))
        mortal = (
            *("engine._target_=tests.drills.ranks.MortalEngine", f"+engine.rank={rank}", f"+engine.move={move}"),
            *(f"+engine.seconds={seconds:.4f}", f"+engine.mark={folder}/mark-{number}"),
        )
        end = command(folder, "train", *WORDS, *mortal, f"engine.restarts={restarts}", f"hydra.run.dir={name}")
        how = f"rank {rank} at move {move} + {seconds:.3f} s, restarts={restarts}: "
        if restarts:
            if end.code != 0 or "all begin again" not in end.out:
                lost.append(f"{how}ended with {end.code}: {end.err[-300:]!r}")
        else:
            lost += [how + line for line in one_line(end, f"process {rank} was ended by sigkill")]
            begun = (folder / name / "checkpoints").is_dir() and any((folder / name / "checkpoints").glob("*.pt"))
            words = (
                (f"resume={name}", "trust=[tests.drills.ranks]") if begun else (*WORDS, f"hydra.run.dir={name}-anew")
            )
            end = command(folder, "train", *words)
            lost += [] if end.code == 0 else [f"{how}resumed, ended with {end.code}: {end.err[-300:]!r}"]
            name = name if begun else f"{name}-anew"
        one, other = (checkpoint.load(folder / run / "checkpoints" / "last.pt") for run in (name, "well"))
        lost += [f"{how}{part} differs" for part in PARTS if not equal(one[part], other[part])]
    return lost
