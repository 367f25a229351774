"""Rounds as the hardware likes them: on CUDA a round is recorded once as a graph and then replayed by one launch.

A small GAN's round is a few hundred kernels of a few microseconds each: what takes the time is launching them from
Python. A CUDA graph launches all of them at once. Rounds of one *kind* (`Algorithm.kind`: which lazy regularizers are
due, and the scheduled numbers that live on the host) are the same computation on the same memory, so there is a graph
for each kind. What differs from round to round (the batch, learning rates, the weight of the average) is written to the
memory that the graph reads, before the replay.

Nothing else changes: batches come from the same stream, random numbers from the same generator, which every round seeds
anew by its number before it is played or replayed, and a checkpoint does not know how its rounds were played.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

from gan_lab.algorithms.base import Algorithm, Due
from gan_lab.algorithms.stage import Stage
from gan_lab.data.stream import Drawn, Stream
from gan_lab.engine.graphs import Graph
from gan_lab.engine.seeding import seed_round
from gan_lab.training.device_metrics import DeviceMetrics

log = logging.getLogger(__name__)

FIRST_ROUNDS = 2  # of a kind, played eagerly: states come into being, libraries choose their kernels
MOST_GRAPHS = 16
REMEMBERED = 64  # kinds that are counted before they are recorded


class Recorded(NamedTuple):
    """A graph and where its results lie until the next replay."""

    graph: Graph
    readings: DeviceMetrics


class Rounds:
    """Plays the rounds of a run, `graphs` recording them where the device has such a thing (None: never).

    What a round draws is decided by `seed` and the number of rounds before it, however they were played. A round that
    cannot be recorded is said once, with the reason, and from then on every round is played eagerly.
    """

    def __init__(self, algorithm: Algorithm, stream: Stream, graphs: Callable[[], Graph] | None, seed: int) -> None:
        self.algorithm = algorithm
        self.stream = stream
        self.seed = seed
        self.stage: Stage | None = None  # of the latest round
        self._batch_size = stream.batch_size
        self._graphs = graphs
        self._recorded: dict[Hashable, Recorded] = {}
        self._played: OrderedDict[Hashable, int] = OrderedDict()
        self._buffers: list[Drawn] = []
        self._eager_in_a_row = 0  # rounds in a row that were not replayed
        self._warned = False

    def play(self, step: int, images: int = 0) -> DeviceMetrics:
        """The round that follows `step` rounds, in which so many `images` were shown. The metrics are the caller's:
        nothing overwrites them."""
        algorithm = self.algorithm
        if (stage := algorithm.stage(images)) != self.stage:
            self._enter(stage)
        seed_round(self.seed, step, algorithm.engine.device)
        algorithm.advance(images)
        algorithm.schedule_step(step, images)
        algorithm.advance_averages(step, self.stream.batch_size * algorithm.batches_per_round)
        drawn = [self.stream.draw() for _ in range(algorithm.batches_per_round)]
        if self._graphs is None:
            return self._round(drawn, algorithm.due(step))
        kind = algorithm.round_key(step)
        if kind in self._recorded or self._record(kind, drawn, step):
            self._eager_in_a_row = 0
            return self._replay(kind, drawn)
        return self._round(drawn, algorithm.due(step))

    def _enter(self, stage: Stage) -> None:
        """Rounds of another size begin: what was recorded, and the memory it read, is of no use to them."""
        self.stage = stage
        self.stream.batch_size = stage.batch_size or self._batch_size
        self.algorithm.enter(stage)
        self.forget()

    def forget(self) -> None:
        """Drop what was recorded: it works on memory that is no longer the players'."""
        self._recorded.clear()
        self._played.clear()
        self._buffers.clear()

    def _round(self, drawn: list[Drawn], due: Due) -> DeviceMetrics:
        algorithm, together = self.algorithm, self.algorithm.engine.world
        own = self.stream.batch_size // together.size
        with algorithm.engine.whole_batch(own, algorithm.accumulation):
            batches = [self.stream.batch(each) for each in drawn]
            metrics = DeviceMetrics.of(algorithm.train_step(batches, due))
            algorithm.follow_averages()
            return metrics if together.size == 1 else DeviceMetrics(metrics.names, together.mean(metrics.vector))

    def _replay(self, kind: Hashable, drawn: list[Drawn]) -> DeviceMetrics:
        graph, readings = self._recorded[kind]
        self._fill(drawn)
        graph.replay()
        return DeviceMetrics(readings.names, readings.vector.clone())

    def _record(self, kind: Hashable, drawn: list[Drawn], step: int) -> bool:
        """Record this kind of round if it is time to; whether that has been done."""
        played = self._played.get(kind, 0)
        if played < FIRST_ROUNDS:
            self._played[kind] = played + 1
            self._played.move_to_end(kind)
            if len(self._played) > REMEMBERED:
                self._played.popitem(last=False)
            self._eager_in_a_row += 1
            if self._eager_in_a_row > REMEMBERED // 2:
                self._warn("a number that is not on the device changes with every round (schedules=...)")
            return False
        if len(self._recorded) >= MOST_GRAPHS:
            self._warn(f"there are more than {MOST_GRAPHS} kinds of rounds")
            return False
        assert self._graphs is not None
        self._fill(drawn)
        graph, due, reason = self._graphs(), self.algorithm.due(step), ""
        try:
            self._recorded[kind] = Recorded(graph, graph.record(lambda: self._round(self._buffers, due)))
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
        if self.algorithm.engine.world.any(bool(reason)):
            self._warn(reason or "another process could not")
            self._recorded.pop(kind, None)
            self._graphs = None
            seed_round(self.seed, step, self.algorithm.engine.device)  # the round is played after all
            return False
        return True

    def _fill(self, drawn: list[Drawn]) -> None:
        """Put what was drawn where the graphs read it."""
        if not self._buffers:
            self._buffers = [each.clone() for each in drawn]
        for buffer, each in zip(self._buffers, drawn, strict=True):
            buffer.copy_(each)

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("rounds are not captured as CUDA graphs: %s; they are played kernel by kernel", reason)
