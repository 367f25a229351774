"""Rounds as the hardware likes them: on CUDA a round is recorded once as a graph and then replayed by one launch.

A small GAN's round is a few hundred kernels of a few microseconds each: what takes the time is launching them from
Python. A CUDA graph launches all of them at once. Rounds of one *kind* (`Algorithm.kind`: which lazy regularizers are
due, and the scheduled numbers that live on the host) are the same computation on the same memory, so there is a graph
for each kind. What differs from round to round (the batch, learning rates, the weight of the average) is written to the
memory that the graph reads, before the replay.

A kind of round is recorded after it was played eagerly twice, and once all kinds that come soon were, too: eager rounds
and the memory of graphs are not needed at the same time. Where a new kind comes up later, what was recorded is dropped,
and recorded again after it.

Nothing else changes: batches come from the same stream, random numbers from the same generator, which every round seeds
anew by its number before it is played or replayed, and a checkpoint does not know how its rounds were played.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gan_lab.algorithms.base import Algorithm, Due
from gan_lab.algorithms.stage import Stage
from gan_lab.data.stream import Drawn, Stream
from gan_lab.engine.graphs import Graph, Graphs, cause_of, is_broken_off
from gan_lab.engine.seeding import seed_round
from gan_lab.engine.shortage import is_shortage
from gan_lab.training.device_metrics import DeviceMetrics
from gan_lab.training.replays import compare

log = logging.getLogger(__name__)

FIRST_ROUNDS = 2  # of a kind, played eagerly: states come into being, libraries choose their kernels
AHEAD = 64  # rounds to look ahead for kinds that are still to be played first
MOST_GRAPHS = 16
REMEMBERED = 64  # kinds that are counted before they are recorded
ALL, SOME = "rounds are not captured as CUDA graphs", "some rounds are not captured as CUDA graphs"


class Recorded(NamedTuple):
    """A graph and where its results lie until the next replay."""

    graph: Graph
    readings: DeviceMetrics


class Rounds:
    """Plays the rounds of a run, `graphs` recording them where the device has such a thing (None: never).

    What a round draws is decided by `seed` and the number of rounds before it, however they were played. A round that
    cannot be recorded is said once, with the reason, and from then on its kind, or every round, is played eagerly. With
    `check` the first replay of every graph is compared with the round itself (`gan_lab.training.replays`).
    """

    def __init__(
        self, algorithm: Algorithm, stream: Stream, graphs: Graphs | None, seed: int, check: bool = False
    ) -> None:
        self.algorithm = algorithm
        self.stream = stream
        self.seed = seed
        self.check = check
        self.stage: Stage | None = None  # of the latest round
        self._batch_size = stream.batch_size
        self._graphs = graphs
        self._recorded: dict[Hashable, Recorded] = {}
        self._refused: set[Hashable] = set()  # kinds that cannot be recorded
        self._played: OrderedDict[Hashable, int] = OrderedDict()
        self._buffers: list[Drawn] = []
        self._loads = algorithm.loads
        self._new_in_a_row = 0  # rounds in a row of kinds that had not been seen
        self._warned = False

    def play(self, step: int, images: int = 0) -> DeviceMetrics:
        """The round that follows `step` rounds, in which so many `images` were shown. The metrics are the caller's:
        nothing overwrites them."""
        algorithm = self.algorithm
        self.begin(images)
        seed_round(self.seed, step, algorithm.engine.device)
        algorithm.schedule_step(step, images)
        algorithm.advance_averages(step, self.stream.batch_size * algorithm.batches_per_round)
        drawn = [self.stream.draw() for _ in range(algorithm.batches_per_round)]
        if self._graphs is None:
            return self._round(drawn, algorithm.due(step))
        kind = algorithm.round_key(step)
        if kind in self._recorded:
            return self._replay(kind, drawn)
        if self._is_due(kind, step) and self._record(kind, drawn, step):
            return self._first_replay(kind, drawn, step)
        return self._eager(kind, drawn, step)

    def begin(self, images: int = 0) -> None:
        """Get ready for the round before which so many `images` were shown: its stage is entered, if it is another or
        a state was loaded, which may be of another."""
        algorithm = self.algorithm
        stage, loaded = algorithm.stage(images), algorithm.loads != self._loads
        if loaded or stage != self.stage:
            self._enter(stage)
        algorithm.advance(images)

    def _enter(self, stage: Stage) -> None:
        """Rounds of another size begin: what was recorded, and the memory it read, is of no use to them."""
        self.stage = stage
        self.stream.batch_size = min(stage.batch_size or self._batch_size, self._batch_size)
        self.algorithm.enter(stage)
        self.forget()

    def forget(self) -> None:
        """Drop what was recorded, and what is known of the kinds: graphs work on memory that is no longer the
        players', or is to be given back."""
        self._loads = self.algorithm.loads
        self._played.clear()
        self._drop()

    @contextmanager
    def eagerly(self) -> Iterator[None]:
        """Rounds in here are played kernel by kernel; what was recorded is kept."""
        graphs, self._graphs = self._graphs, None
        try:
            yield
        finally:
            self._graphs = graphs

    def _drop(self) -> None:
        """Give back what graphs and their buffers hold; kinds stay known, and are recorded again."""
        held = bool(self._recorded or self._buffers)
        self._recorded.clear()
        self._buffers.clear()
        if held and self._graphs is not None:
            self._graphs.clear()

    def _round(self, drawn: list[Drawn], due: Due) -> DeviceMetrics:
        algorithm, together = self.algorithm, self.algorithm.engine.world
        own = self.stream.batch_size // together.size
        with algorithm.engine.whole_batch(own, algorithm.accumulation):
            batches = [self.stream.batch(each) for each in drawn]
            metrics = DeviceMetrics.of(algorithm.train_step(batches, due))
            algorithm.follow_averages()
            return metrics if together.size == 1 else DeviceMetrics(metrics.names, together.mean(metrics.vector))

    def _eager(self, kind: Hashable, drawn: list[Drawn], step: int) -> DeviceMetrics:
        """Play a round of a kind that is not recorded, and count it."""
        played = self._played.get(kind, 0)
        if played < FIRST_ROUNDS:
            self._drop()
        self._played[kind] = played + 1
        self._played.move_to_end(kind)
        if len(self._played) > REMEMBERED:
            self._played.popitem(last=False)
        self._new_in_a_row = 0 if played else self._new_in_a_row + 1
        if self._new_in_a_row > REMEMBERED // 2:
            self._warn(ALL, "a number that is not on the device changes with every round (schedules=...)")
        due = self.algorithm.due(step)
        if not self._recorded or self.algorithm.engine.world.size > 1:  # others would wait for what was begun
            return self._round(drawn, due)
        try:
            return self._round(drawn, due)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
        self._give_up("there is not enough memory for graphs beside a round; the round is begun again")
        seed_round(self.seed, step, self.algorithm.engine.device)
        return self._round(drawn, due)

    def _replay(self, kind: Hashable, drawn: list[Drawn]) -> DeviceMetrics:
        graph, readings = self._recorded[kind]
        self._fill(drawn)
        graph.replay()
        return DeviceMetrics(readings.names, readings.vector.clone())

    def _first_replay(self, kind: Hashable, drawn: list[Drawn], step: int) -> DeviceMetrics:
        if not self.check:
            return self._replay(kind, drawn)

        def from_the_seed(play: Callable[[], DeviceMetrics]) -> Callable[[], DeviceMetrics]:
            def seeded() -> DeviceMetrics:
                seed_round(self.seed, step, self.algorithm.engine.device)
                return play()

            return seeded

        eager = from_the_seed(lambda: self._round(drawn, self.algorithm.due(step)))
        metrics, differs = compare(self.algorithm, eager, from_the_seed(lambda: self._replay(kind, drawn)))
        if self.algorithm.engine.world.any(bool(differs)):
            self._give_up(differs or "a replay differs from its round in another process")
        return metrics

    def _is_due(self, kind: Hashable, step: int) -> bool:
        """Whether this kind of round is to be recorded now, and none that comes soon is to be played first."""
        if kind in self._refused or self._played.get(kind, 0) < FIRST_ROUNDS:
            return False
        soon = {self.algorithm.round_key(later) for later in range(step + 1, step + AHEAD)} - self._refused
        if any(self._played.get(each, 0) < FIRST_ROUNDS for each in soon):
            return False
        if len(self._recorded) >= MOST_GRAPHS:
            self._warn(SOME, f"there are more than {MOST_GRAPHS} kinds of rounds")
            return False
        return True

    def _record(self, kind: Hashable, drawn: list[Drawn], step: int) -> bool:
        """Record this kind of round; whether that could be done."""
        assert self._graphs is not None
        self._fill(drawn)
        graph, due, world = self._graphs(), self.algorithm.due(step), self.algorithm.engine.world
        reason, broken = "", False
        try:
            self._recorded[kind] = Recorded(graph, graph.record(lambda: self._round(self._buffers, due)))
        except Exception as error:  # whatever it is: played eagerly it is heard of, or is none
            log.debug("a round could not be recorded", exc_info=True)
            reason, broken = cause_of(error), is_broken_off(error)
        if not world.any(bool(reason)):
            return True
        del graph
        reason = reason or "another process could not"
        if world.any(broken):
            self._give_up(reason)
        else:
            self._refused.add(kind)
            self._drop()
            self._warn(SOME, reason)
        seed_round(self.seed, step, self.algorithm.engine.device)  # the round is played after all
        return False

    def _give_up(self, reason: str) -> None:
        self._drop()
        self._graphs = None
        self._warn(ALL, reason)

    def _fill(self, drawn: list[Drawn]) -> None:
        """Put what was drawn where the graphs read it."""
        if not self._buffers:
            self._buffers = [each.clone() for each in drawn]
        for buffer, each in zip(self._buffers, drawn, strict=True):
            buffer.copy_(each)

    def _warn(self, what: str, reason: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("%s: %s; they are played kernel by kernel", what, reason)
