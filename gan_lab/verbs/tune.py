"""`gan-lab tune`: search the settings that make one figure better. Imports no torch; its trials do."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.console import shown
from gan_lab.command_line.table import number, terminal_width
from gan_lab.config import require_whole
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.training import Launch
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning.typed import all_words, check_composes, flags, for_training

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.tuning.search import Search
    from gan_lab.tuning.space import Space
    from gan_lab.tuning.study import Study

log = logging.getLogger(__name__)

OWN = (
    "trials",
    "workers",
    "space",
    "direction",
    "baseline",
    "sampler",
    "pruner",
    "launch",
)  # keys that no training knows


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns the best value found."""
    from hydra.core.hydra_config import HydraConfig

    from gan_lab.config import settings
    from gan_lab.tuning.study import check_installed

    check_installed()
    hydra = HydraConfig.get()
    return tune(settings(cfg), dict(hydra.runtime.choices), Path(hydra.runtime.output_dir), all_words(), flags())


def tune(
    config: dict[str, Any], choices: Mapping[str, Any], folder: Path, typed: Sequence[str], extra: Sequence[str] = ()
) -> float:
    """Search as `config` says in `folder`, or go on there (`resume`). `typed` are the overrides that it comes of.

    Raises ConfigError for what cannot be searched, GanLabError where no trial came to its end.
    """
    from gan_lab.records.sweep import read_json
    from gan_lab.tuning import report
    from gan_lab.tuning.search import Search
    from gan_lab.tuning.space import read_space
    from gan_lab.tuning.study import Study

    trials, launch = require_whole(config["trials"], "trials"), Launch.of(config)
    space = read_space(config["space"])
    base = for_training(typed, OWN)
    check_space(space, base)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "running this search"):
        stored = read_json(folder / report.FILE)
        check_folder(folder, stored, bool(config["resume"]), config["space"])
        settings = (config["direction"], config["sampler"], pruner_of(config), config["seed"])
        with Study(folder, space, *settings) as study:
            if stored:
                for trial in study.put_back():
                    log.info("trial %d was killed; it goes on, or its settings are tried again", trial)
                log.info("going on: %d of %d trials are over", study.counted(), trials)
            elif config["baseline"]:
                as_it_is(study, space, config, choices)
            about = {"overrides": list(typed), **{key: config[key] for key in ("space", "objective", "direction")}}
            objective, last = config["objective"], config["trainer"]["max_steps"]
            changed = partial(report.save, folder, about, study, space)
            search = Search(folder, study, space, objective, base, extra, changed, last)
            search.changed()
            try:
                search.run(trials, launch)
            finally:
                search.changed()
                conclude(search, over=study.counted() >= trials)
            best = study.best()
    if best is None:
        raise GanLabError(f"no trial came to its end; {shown(folder / report.FILE)} says why")
    return float(best.value or 0.0)


def check_space(space: Space, base: Sequence[str]) -> None:
    """Raise ConfigError where a trial could not even be composed."""
    from gan_lab.command_line.overrides import read
    from gan_lab.tuning.space import check_apart

    if not space:
        raise ConfigError("space: is empty; choose one (space=learning_rates) or add a key, e.g. '+space.seed=[0,1]'")
    check_apart(space, [read(word).key for word in base])
    ends = {key: dimension.ends() for key, dimension in space.items()}
    for index in range(max(map(len, ends.values()))):  # each composing takes a while: all keys at once
        check_composes([*base, *(f"{key}={texts[index % len(texts)]}" for key, texts in ends.items())], "space")


def check_folder(folder: Path, stored: Mapping[str, Any], resuming: bool, space: Any) -> None:
    """Raise ConfigError where a folder holds another search than the one that is asked for."""
    from gan_lab.tuning.study import FILE

    if not resuming and (stored or (folder / FILE).exists()):
        raise ConfigError(
            f"hydra.run.dir: {shown(folder)} already holds a search; "
            f"go on with it by resume={shown(folder)}, or choose another folder"
        )
    if resuming and stored.get("space") != space:
        raise ConfigError(f"resume={shown(folder)}: its search space was another one than that file has now")


def pruner_of(config: Mapping[str, Any]) -> Any:
    """The pruner's node. A `min_resource` of null, the steps of the first comparison, is those of a measurement."""
    pruner = config["pruner"]
    if not isinstance(pruner, dict) or pruner.get("min_resource", "") is not None:
        return pruner
    metrics = config["callbacks"].get("metrics") or {}
    return {**pruner, "min_resource": max(metrics.get("every") or config["trainer"]["log_every"], 1)}


def as_it_is(study: Study, space: Space, config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Let the first trial be the configuration without the search, where that is a point of the space."""
    from gan_lab.config import leaves
    from gan_lab.tuning.space import default

    settings = {**dict(leaves(config)), **{key: choices[key] for key in space if key in choices}}
    values, outside = default(space, settings)
    if outside:
        log.info("no trial of the configuration as it is: %s=%s is not in the space", outside, settings.get(outside))
    else:
        study.baseline(values)


def conclude(search: Search, over: bool) -> None:
    """The table, the pictures, the best overrides, and how to go on."""
    from gan_lab.tuning import report
    from gan_lab.tuning.plots import plots
    from gan_lab.tuning.space import words
    from gan_lab.tuning.study import BASELINE

    folder, study, space, objective = search.folder, search.study, search.space, search.objective
    best = study.best()
    print("\n".join(["", *report.lines(study, space, objective, terminal_width()), ""]), flush=True)
    if best is not None:
        log.info("best       trial %d: %s %s", best.number, objective, number(best.value))
        baseline = [trial.value for trial in study.trials if trial.user_attrs.get(BASELINE) and trial.value is not None]
        if baseline:
            log.info("as it is   %s %s", objective, number(baseline[-1]))
        log.info("to paste   %s", report.to_paste(search.base, words(space, best.params)))
        for path in plots(folder, study, objective):
            log.info("picture    %s", shown(path))
    log.info("dashboard  tensorboard --logdir %s", shown(folder))
    log.info("go on      gan-lab tune resume=%s%s", shown(folder), f" trials={2 * study.counted()}" if over else "")
