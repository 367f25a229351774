"""The study on disk: Optuna's ask and tell over `study.db`, and what of it must survive a kill.

A trial that was stopped from outside says nothing about its settings: it is told as failed, and the same settings are
put into the queue again, as a trial of their own that names the first one under `again` and goes on with its run.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.config import build
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.tuning.space import Space

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial, Trial

FILE = "study.db"
DIRECTIONS = ("minimize", "maximize")
BASELINE, AGAIN, ERROR, TIME = "baseline", "again", "error", "seconds"  # what is noted on a trial


def check_installed(*names: str) -> None:
    """Raise ConfigError where what searches or draws is not installed."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(f"needs {name}: pip install 'gan-lab[tune]'") from error


class Study:
    """`sampler` and `pruner` are configuration nodes of Optuna classes; a `pruner` of None prunes nothing."""

    def __init__(self, folder: Path, space: Space, direction: str, sampler: Any, pruner: Any, seed: int) -> None:
        import optuna
        from optuna.storages import RDBStorage
        from optuna.study import StudyDirection
        from sqlalchemy.engine import URL

        if direction not in DIRECTIONS:
            raise ConfigError(f"direction: {direction!r} is not one of {', '.join(DIRECTIONS)}")
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # what there is to say is said by gan-lab
        url = URL.create("sqlite", database=str(folder.absolute() / FILE)).render_as_string()
        self._distributions = {key: dimension.distribution() for key, dimension in space.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruning: BasePruner = build(pruner, "pruner") if pruner else optuna.pruners.NopPruner()
            try:
                self._storage = RDBStorage(url)
                self.optuna = optuna.create_study(
                    storage=self._storage,
                    study_name="study",
                    direction=StudyDirection[direction.upper()],
                    load_if_exists=True,
                )
            except Exception as error:  # SQLAlchemy's and Optuna's, of many kinds
                reason = " ".join(str(error).split())[:160]
                raise GanLabError(f"{folder / FILE}: cannot be opened ({reason})") from error
            # A sampler that begins anew with the seed of the first session would propose the same settings again.
            self.optuna.sampler = build(sampler, "sampler", seed=seed + len(self.optuna.get_trials(deepcopy=False)))
        self.optuna.pruner = pruning

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.optuna.get_trials(deepcopy=False)

    @property
    def sign(self) -> int:
        """1 where less is better, -1 where more is."""
        return 1 if self.optuna.direction.name == "MINIMIZE" else -1

    def put_back(self) -> list[int]:
        """Whatever says that it is running was killed: its settings go back into the queue. Returns the numbers."""
        from optuna.trial import TrialState

        left = [trial for trial in self.trials if trial.state == TrialState.RUNNING]
        for trial in left:
            self.again(trial.number, trial.params, trial.user_attrs)
        return [trial.number for trial in left]

    def again(self, number: int, values: Mapping[str, Any], noted: Mapping[str, Any]) -> None:
        """Queue the settings of a trial anew, then close it; a kill between the two leaves one entry in the queue."""
        from optuna.trial import TrialState

        if number not in self.replaced():
            kept = {BASELINE: True} if noted.get(BASELINE) else {}
            self.optuna.enqueue_trial(dict(values), user_attrs={**kept, AGAIN: number})
        self.optuna.tell(number, state=TrialState.FAIL)

    def replaced(self) -> set[int]:
        """The trials whose settings are tried again."""
        return {trial.user_attrs[AGAIN] for trial in self.trials if AGAIN in trial.user_attrs}

    def baseline(self, values: Mapping[str, Any]) -> None:
        """Let the first trial be the configuration as it is, so that the others have something to be compared with."""
        self.optuna.enqueue_trial(dict(values), user_attrs={BASELINE: True})

    def ask(self) -> Trial:
        """The next trial."""
        return self.optuna.ask(fixed_distributions=self._distributions)

    def counted(self) -> int:
        """The trials that are over and are not tried again."""
        replaced = self.replaced()
        return sum(trial.state.is_finished() and trial.number not in replaced for trial in self.trials)

    def begun(self) -> int:
        """The trials that are over or run."""
        return self.counted() + sum(trial.state.name == "RUNNING" for trial in self.trials)

    def best(self) -> FrozenTrial | None:
        """The finished trial with the best value; None where there is none."""
        done = [trial for trial in self.trials if trial.state.name == "COMPLETE"]
        return min(done, key=lambda trial: self.sign * float(trial.value or 0.0), default=None)
