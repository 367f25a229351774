"""The loop of a search: ask for settings, train, tell what became of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan_lab.command_line.stored_overrides import is_run
from gan_lab.command_line.table import number
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.following import Following
from gan_lab.jobs.supervisor import End
from gan_lab.jobs.training import Launch, Training
from gan_lab.records.sweep import Job, objective_of, results_of
from gan_lab.storage.files import read_json
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning.space import Space
from gan_lab.tuning.study import AGAIN, BASELINE, ERROR, TIME, Study
from gan_lab.tuning.typed import to_start

if TYPE_CHECKING:
    from optuna.trial import Trial

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Playing(Job):
    """A trial whose training runs; it may be pruned, or failed, before that has ended."""

    trial: Trial
    following: Following


@dataclass
class Search:
    """`base` are the overrides that all trials have; after each change `changed` is called. At the step `last` a
    training ends by itself, so there is nothing left to prune.

    Trials end as finished (with the objective of their `summary.json`), pruned, or failed: a crash, an objective that
    is no number. None of these ends the search; a mistake that every trial would share does, by ConfigError.
    """

    folder: Path
    study: Study
    space: Space
    objective: str
    base: Sequence[str]
    changed: Callable[[], None] = lambda: None
    last: float = math.inf

    def run(self, trials: int, launch: Launch) -> None:
        """Go on until `trials` are over. Raises SystemExit where a signal stopped it."""
        launch.train(self.folder, self._asked(trials), self._tell, self._watch)

    def _asked(self, trials: int) -> Iterator[tuple[Playing, list[str]]]:
        while self.study.begun() < trials:
            trial = self.study.ask()
            own, name, before = self.space.words(trial.params), trial_folder(trial.number), trial.user_attrs.get(AGAIN)
            as_it_is = " (as it is)" if trial.user_attrs.get(BASELINE) else ""
            log.info("trial %d%s: %s", trial.number, as_it_is, " ".join(own))
            if before is not None:
                take_over(self.folder / trial_folder(before), self.folder / name)
            following = Following(self.folder / name, self.objective)
            job = Playing(trial, following, overrides=own, folder=name, state="running")
            yield job, to_start(self.base, own, self.folder / name)

    def _watch(self, job: Playing, training: Training | None) -> None:
        """Hand on what the run has measured. One that lies far behind is asked to end, as long as it runs; one that
        measures no number has failed."""
        trial = job.trial
        for point in job.following.news():
            if job.state != "running":
                return
            if not math.isfinite(point.value):
                job.state, job.error = "failed", f"{self.objective} is {point.value} at step {point.step}"
            else:
                trial.report(point.value, point.step)
                behind = trial.should_prune()  # asked of every trial: the others are compared with the answers
                if behind and training and not trial.user_attrs.get(BASELINE) and point.step < self.last:
                    job.state = "pruned"
                    said = f"{self.objective} {number(point.value)} at step {point.step}"
                    log.info("trial %d is pruned: %s", trial.number, said)
            if training and job.state != "running":
                training.stop()

    def _tell(self, job: Playing, end: End) -> None:
        if end.state != "running":
            self._watch(job, None)
            self._conclude(job, end)
        self.changed()

    def _conclude(self, job: Playing, end: End) -> None:
        from optuna.trial import TrialState

        trial = job.trial
        if job.state == "running" and end.state in ("stopped", "interrupted"):
            self.study.again(trial.number, trial.params, trial.user_attrs)
            log.info("trial %d was interrupted; it goes on when the search does", trial.number)
            return
        trial.set_user_attr(TIME, end.seconds)
        if job.state == "failed":
            self._failed(trial, job.error)
        elif end.state == "finished":
            self._finished(job, end)
        elif job.state == "pruned":
            self.study.optuna.tell(trial, state=TrialState.PRUNED)
        else:
            self._failed(trial, end.error)
            if end.state == "refused" and trial.user_attrs.get(BASELINE):
                raise ConfigError(end.error)

    def _finished(self, job: Playing, end: End) -> None:
        trial, summary = job.trial, read_json(self.folder / job.folder / "summary.json")
        value = objective_of(summary, self.objective)
        if value is None:
            self._failed(trial, f"it has no figure {self.objective}")
            has = ", ".join(results_of(summary)) or "none"
            raise ConfigError(f"objective: {self.objective} is not one figure of these runs (they have: {has})")
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            self._failed(trial, f"{self.objective} is {value}")
            return
        before = self.study.best()
        self.study.optuna.tell(trial, float(value))
        sign = self.study.sign
        best = before is None or before.value is None or sign * value < sign * before.value
        mark = ", the best so far" if best else ""
        log.info("trial %d finished in %.0f s: %s %s%s", trial.number, end.seconds, self.objective, number(value), mark)
        self._check_direction(summary)

    def _check_direction(self, summary: dict[str, object]) -> None:
        """Raise ConfigError where the objective is a metric that gets better the other way."""
        metrics = summary.get("metrics")
        for name, record in metrics.items() if isinstance(metrics, dict) else ():
            if name != self.objective and not name.startswith(f"{self.objective}/"):
                continue
            right = "minimize" if record.get("lower_is_better", True) else "maximize"
            if right != ("minimize" if self.study.sign > 0 else "maximize"):
                raise ConfigError(
                    f"direction: of {name} {'less' if right == 'minimize' else 'more'} is better; {right} it"
                )

    def _failed(self, trial: Trial, why: str) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr(ERROR, why)
        self.study.optuna.tell(trial, state=TrialState.FAIL)
        log.warning("trial %d failed: %s", trial.number, why)


def trial_folder(trial: int) -> str:
    return f"trials/{trial}"


def take_over(before: Path, folder: Path) -> bool:
    """Make the run of a trial that was interrupted this one's; false where there is none, or a process still has it."""
    if not is_run(before):
        return False
    try:
        with lock_folder(before):
            before.rename(folder)
    except (GanLabError, OSError):
        return False
    return True
