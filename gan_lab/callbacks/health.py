"""Watches a run's health: looks at it now and then, and says in one line what is wrong, since when, and what to try."""

from __future__ import annotations

import logging

from gan_lab.config import require_whole
from gan_lab.errors import ConfigError
from gan_lab.health.alarm import Alarm
from gan_lab.health.history import alarms, looks
from gan_lab.health.labels import check_labels
from gan_lab.health.probe import Probe
from gan_lab.health.rules import advice, judge
from gan_lab.health.setback import Setback
from gan_lab.health.signals import Signals
from gan_lab.health.variety import check_variety
from gan_lab.training.callback import Callback, secondary
from gan_lab.training.rollback import RATE, target
from gan_lab.training.run import Rollback, Run

log = logging.getLogger(__name__)

ON_ALARM = ("warn", "stop", "rollback")
FIRST_ROUNDS = 10  # how far they move the weights tells whether the learning rates are out of all proportion


class Health(Callback):
    """Looks every `every` steps (0: never) through a probe of `count` images; signals are logged as `health/...`.

    An alarm is raised once: a line in the log, a text in the loggers, an entry of `alarms` in `summary.json`. Then
    `on_alarm`: `warn` goes on, `stop` ends the run, `rollback` goes back to the newest checkpoint from before it with
    learning rates halved, `most` times at most and then stops. A run that goes on remembers its looks and alarms.
    """

    def __init__(self, every: int = 100, on_alarm: str = "warn", count: int = 64, most: int = 3) -> None:
        for name, value, least in (("every", every, 0), ("count", count, 2), ("most", most, 0)):
            require_whole(value, f"callbacks.health.{name}", least)
        if on_alarm not in ON_ALARM:
            raise ConfigError(f"callbacks.health.on_alarm: {on_alarm!r} is not one of {', '.join(ON_ALARM)}")
        self.every = every
        self.on_alarm = on_alarm
        self.count = count
        self.most = most
        self._history: list[Signals] = []
        self._raised: list[str] = []
        self._probe: Probe | None = None
        self._setback = Setback()
        self._first = 0

    def on_fit_start(self, run: Run) -> None:
        if not self.every:
            return
        if not run.fresh:
            self._history = [look for look in looks(run.folder) if look.step <= run.step]
            run.alarms = [alarm._asdict() for alarm in alarms(run.folder) if alarm.step <= run.step]
            self._raised = [alarm["name"] for alarm in run.alarms]
        for alarm in (check_labels(run.config, run.store, run.step), check_variety(run.store, run.step)):
            if alarm is not None and alarm.name not in self._raised:
                self._raise(run, alarm)
        if run.plan.max_steps - run.step >= self.every:
            self._first = run.step
            with secondary("the health monitor"):
                self._probe = Probe(run, self.count)
                self._remember(run)

    def on_step_end(self, run: Run) -> None:
        probe, self._probe = self._probe, None  # one that fails is not asked again
        if probe is None:
            return
        with secondary("the health monitor, which is off from here on,"):
            self._watch(run, probe)
            self._probe = probe
            self._remember(run)

    def _watch(self, run: Run, probe: Probe) -> None:
        probe.movement.after()
        if run.due(self.every):
            look = probe.look(run)._replace(setback=self._setback.read(run))
            run.loggers.scalars(run.step, look.scalars())
            self._history.append(look)
            alarm = judge(self._history, self._raised, self._rates(run))
            if alarm is not None:
                self._raise(run, alarm)

    def on_fit_end(self, run: Run) -> None:
        if self._probe is not None and run.outcome == "failed" and run.error.startswith("NonFiniteError"):
            saw = run.error.removeprefix("NonFiniteError: ").partition(";")[0]
            if "divergence" not in self._raised:
                self._raise(run, Alarm("divergence", run.step, run.step, saw, advice("divergence", self._rates(run))))

    def on_rollback(self, run: Run) -> None:
        self._setback = Setback()
        self._history = [look for look in self._history if look.step <= run.step]
        self._raised = [alarm["name"] for alarm in run.alarms if alarm["step"] <= run.step]

    def _rates(self, run: Run) -> dict[str, float]:
        return {role: rates[0] for role, rates in run.algorithm.base_rates.items()}

    def _remember(self, run: Run) -> None:
        if (run.step + 1) % self.every == 0 or run.step - self._first < FIRST_ROUNDS:
            assert self._probe is not None
            self._probe.movement.before()

    def _raise(self, run: Run, alarm: Alarm) -> None:
        log.warning("%s", alarm.line())
        run.loggers.text(run.step, "health", alarm.line())
        run.alarms.append(alarm._asdict())
        self._raised.append(alarm.name)
        if self.on_alarm == "warn" or run.outcome == "failed":
            return
        if self.on_alarm == "rollback":
            self._ask_back(run, alarm)
        else:
            run.stop_reason = alarm.line()

    def _ask_back(self, run: Run, alarm: Alarm) -> None:
        done = sum(1 for each in run.alarms if each.get("rolled_back_to") is not None)
        found = target(run, alarm.since - self.every) if alarm.since else None
        if done >= self.most or found is None:
            why = f"rolled back {done} times already" if found is not None else "no checkpoint from before it"
            run.stop_reason = f"{alarm.line()} ({why})"
            return
        step, path = found
        run.alarms[-1]["rolled_back_to"] = step
        run.rollback = Rollback(path, step, RATE)
