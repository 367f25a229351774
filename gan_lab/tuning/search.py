"""The loop of a search: ask for settings, train, tell what became of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan_lab.command_line.stored_overrides import is_run
from gan_lab.command_line.table import number
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.following import Following
from gan_lab.jobs.pool import Pool
from gan_lab.jobs.training import Launch, Training, words_of, words_to_go_on
from gan_lab.records.sweep import objective_of, read_json, results_of
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning.space import Space, words
from gan_lab.tuning.study import AGAIN, BASELINE, ERROR, TIME, Study

if TYPE_CHECKING:
    from optuna.trial import Trial

log = logging.getLogger(__name__)


@dataclass
class Playing:
    """A trial whose training runs."""

    trial: Trial
    training: Training
    following: Following
    pruned: bool = False
    wrong: str = ""


class Search:
    """`base` are the overrides that all trials have; after each change `changed` is called. At the step `last` a
    training ends by itself, so there is nothing left to prune.

    Trials end as finished (with the objective of their `summary.json`), pruned, or failed: a crash, an objective that
    is no number. None of these ends the search; a mistake that every trial would share does, by ConfigError.
    """

    def __init__(
        self,
        folder: Path,
        study: Study,
        space: Space,
        objective: str,
        base: Sequence[str],
        flags: Sequence[str] = (),
        changed: Callable[[], None] = lambda: None,
        last: float = math.inf,
    ) -> None:
        self.folder = folder
        self.study = study
        self.space = space
        self.objective = objective
        self.base = base
        self.flags = flags
        self.changed = changed
        self.last = last
        self._playing: dict[Training, Playing] = {}

    def run(self, trials: int, launch: Launch) -> None:
        """Go on until `trials` are over. Raises SystemExit where a signal stopped it."""
        with Pool(launch.workers) as self._pool:
            try:
                self._pool.run(
                    lambda: self._begin(launch) if self._wanted(trials) else None,
                    lambda training, code: self._ended(self._playing.pop(training), code),
                    lambda training: self._watch(self._playing[training]),
                )
            finally:
                for left in self._playing.values():
                    self._interrupted(left)

    def _wanted(self, trials: int) -> bool:
        return self.study.counted() + len(self._playing) < trials

    def _begin(self, launch: Launch) -> Training:
        trial = self.study.ask()
        folder = trial_folder(self.folder, trial.number)
        own = words(self.space, trial.params)
        log.info("trial %d%s: %s", trial.number, " (as it is)" if trial.user_attrs.get(BASELINE) else "", " ".join(own))
        before = trial.user_attrs.get(AGAIN)
        if before is not None and taken_over(trial_folder(self.folder, before), folder):
            line = words_to_go_on(self.base, folder, self.flags)
        else:
            line = words_of(self.base, own, folder, self.flags)
        training = launch.begin(line, folder, self.folder / ".said" / f"{trial.number}.txt")
        self._playing[training] = Playing(trial, training, Following(folder, self.objective))
        self.changed()
        return training

    def _watch(self, playing: Playing) -> None:
        """Hand on what the run has measured; one that lies far behind, or measures no number, is asked to end."""
        trial = playing.trial
        for point in playing.following.news():
            if playing.wrong or playing.pruned:
                return
            if not math.isfinite(point.value):
                playing.wrong = f"{self.objective} is {point.value} at step {point.step}"
                playing.training.stop()
                return
            trial.report(point.value, point.step)
            behind = trial.should_prune()  # asked of every trial: the others are compared with the answers
            kept = trial.user_attrs.get(BASELINE) or point.step >= self.last or self._pool.signal is not None
            if behind and not kept:
                playing.pruned = True
                playing.training.stop()
                said = f"{self.objective} {number(point.value)} at step {point.step}"
                log.info("trial %d is pruned: %s", trial.number, said)

    def _ended(self, playing: Playing, code: int) -> None:
        from optuna.trial import TrialState

        self._watch(playing)
        trial, seconds = playing.trial, playing.training.seconds
        summary = read_json(playing.training.folder / "summary.json")
        done = code == 0 and summary.get("state") == "finished"
        if not (done or playing.pruned or playing.wrong) and self._pool.signal is not None:
            self._interrupted(playing)
            self.changed()
            return
        trial.set_user_attr(TIME, seconds)
        if playing.wrong:
            self._failed(trial, playing.wrong)
        elif done:
            self._finished(playing, summary)
        elif playing.pruned:
            self.study.optuna.tell(trial, state=TrialState.PRUNED)
        else:
            why = playing.training.complaint(code) if code else "it ended without finishing"
            self._failed(trial, why)
            if code == ConfigError.exit_code and trial.user_attrs.get(BASELINE):
                raise ConfigError(why)
        self.changed()

    def _finished(self, playing: Playing, summary: dict[str, object]) -> None:
        trial, seconds = playing.trial, playing.training.seconds
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
        log.info("trial %d finished in %.0f s: %s %s%s", trial.number, seconds, self.objective, number(value), mark)
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

    def _interrupted(self, playing: Playing) -> None:
        trial = playing.trial
        self.study.again(trial.number, trial.params, trial.user_attrs)
        log.info("trial %d was interrupted; it goes on when the search does", trial.number)


def trial_folder(folder: Path, trial: int) -> Path:
    return folder / "trials" / str(trial)


def taken_over(before: Path, folder: Path) -> bool:
    """Make the run of a trial that was interrupted this one's; false where there is none, or a process still has it."""
    if not is_run(before):
        return False
    try:
        with lock_folder(before):
            before.rename(folder)
    except (GanLabError, OSError):
        return False
    return True
