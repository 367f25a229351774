"""A run in progress: what the trainer advances, callbacks watch and a checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from gan_lab.algorithms.base import Algorithm
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.engine.engine import Engine
from gan_lab.loggers.base import Loggers
from gan_lab.metrics.figure import Figure, find_figure
from gan_lab.sampling.sampler import Sampler
from gan_lab.storage import checkpoint
from gan_lab.storage.writer import Writer
from gan_lab.training.plan import Plan
from gan_lab.training.rounds import Rounds


class Rollback(NamedTuple):
    """The checkpoint to go back to, its step, and the factor on every learning rate from there on."""

    path: Path
    step: int
    rate: float


class Best(NamedTuple):
    """The best value so far of the figure that the run is judged by, when it was, and how many looks have passed."""

    name: str
    value: float
    step: int
    waited: int


@dataclass
class Run:
    """`step` counts generator updates, `images_seen` the real images shown to the discriminator.

    `metrics` are the latest round's 0-d tensors, still on the device; `figures` the latest that were read back.
    `outcome` is running, finished, stopped or failed, and `error` says why in one line. `fresh` is false for a run
    that goes on from a checkpoint. `interactive` is true where somebody watches a terminal. What is written while the
    run goes on is written by `writer`. `measured` are the latest metrics, `best` the best of the one that is the
    objective, and `improved` says that it is this step's (whoever keeps its checkpoint takes that back). A callback
    that wants the run to end says why in `stop_reason`; one that wants it to go back puts a `rollback` here. `alarms`
    are those of the health monitor, as `summary.json` has them. `unless_interrupted` does work that takes long and need
    not be finished when the run is to stop.
    """

    folder: Path
    config: dict[str, Any]
    engine: Engine
    store: Store
    stream: Stream
    algorithm: Algorithm
    rounds: Rounds
    plan: Plan
    loggers: Loggers
    writer: Writer
    interactive: bool = False
    step: int = 0
    images_seen: int = 0
    fresh: bool = True
    outcome: str = "running"
    error: str = ""
    metrics: Mapping[str, Tensor] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    measured: dict[str, Figure] = field(default_factory=dict)
    best: Best | None = None
    improved: bool = False
    stop_reason: str = ""
    alarms: list[dict[str, Any]] = field(default_factory=list)
    rollback: Rollback | None = None
    unless_interrupted: Callable[[Callable[[], None]], None] = lambda work: work()

    def play(self) -> None:
        """One step: schedules, batches, moves, average."""
        self.metrics = self.rounds.play(self.step, self.images_seen)
        self.step += 1
        self.images_seen += self.stream.batch_size * self.algorithm.batches_per_round

    @property
    def checkpoints(self) -> Path:
        """The folder of this run's checkpoints."""
        return self.folder / "checkpoints"

    def due(self, every: int) -> bool:
        """Whether something done every `every` steps is due now; 0 is never."""
        return every > 0 and self.step % every == 0

    @property
    def last_step(self) -> bool:
        """Whether the step just done was the last."""
        return self.step >= self.plan.max_steps

    @property
    def ending(self) -> bool:
        """Whether no round follows the step just done: it was the last, or somebody ends the run."""
        return self.last_step or bool(self.stop_reason)

    def state_dict(self) -> dict[str, Any]:
        """The checkpoint of this moment: a round has ended and the next has not begun."""
        return {
            "version": checkpoint.VERSION,
            "step": self.step,
            "images_seen": self.images_seen,
            **self.algorithm.state_dict(),
            "stream": self.stream.state_dict(),
            "metrics": dict(self.figures),
            "measured": {name: figure.record() for name, figure in self.measured.items()},
            "best": None if self.best is None else list(self.best),
            "config": self.config,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to that moment; of a checkpoint that has only weights (`is_begun`) take these, and begin."""
        if not checkpoint.is_begun(state):
            self.algorithm.load_networks(state)
            return
        self.algorithm.load_state_dict(state)
        self.stream.load_state_dict(state["stream"])
        self.step, self.images_seen = state["step"], state["images_seen"]
        self.figures = dict(state["metrics"])
        self.measured = {name: Figure.of(name, record) for name, record in state.get("measured", {}).items()}
        self.best = Best(*state["best"]) if state.get("best") else None
        self.fresh = False

    def sampler(self) -> Sampler:
        """What draws from the averaged networks as they are now."""
        averaged = {role: average.module for role, average in self.algorithm.averages.items()}
        return type(self.algorithm).sampler(averaged, self.config["algorithm"], self.engine)

    @property
    def results(self) -> dict[str, float]:
        """The latest metrics and figures together; metrics first, as tables show them."""
        return {**{name: figure.value for name, figure in self.measured.items()}, **self.figures}

    def objective(self) -> float | None:
        """The figure that this run is compared by; None where it has none of that name."""
        results = self.results
        name = find_figure(results, self.config["objective"])
        return None if name is None else results[name]
