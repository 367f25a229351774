"""`gan-lab tune`: search the settings that make one figure better. Imports no torch; its trials do."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.console import already_holds, command, config_flags, dashboard, shown
from gan_lab.command_line.overrides import read
from gan_lab.command_line.table import number, terminal_width
from gan_lab.config import leaves, require_whole, settings
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.training import Launch
from gan_lab.metrics.objective import check_objective
from gan_lab.storage.files import read_json
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning import plots, report, study, typed
from gan_lab.tuning.search import Search
from gan_lab.tuning.space import Space

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)

# Keys that no training knows.
OWN = ("trials", "workers", "space", "direction", "baseline", "sampler", "pruner", "launch")


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns the best value found."""
    from hydra.core.hydra_config import HydraConfig

    study.check_installed("optuna", "matplotlib")
    hydra = HydraConfig.get()
    folder, choices = Path(hydra.runtime.output_dir), dict(hydra.runtime.choices)
    return tune(settings(cfg), choices, folder, typed.all_words(), config_flags(hydra))


def tune(
    config: dict[str, Any], choices: Mapping[str, Any], folder: Path, words: Sequence[str], flags: Sequence[str] = ()
) -> float:
    """Search as `config` says in `folder`, or go on there (`resume`). `words` are the overrides that it comes of.

    Raises ConfigError for what cannot be searched, GanLabError where no trial came to its end.
    """
    trials, launch = require_whole(config["trials"], "trials"), Launch.of(config, flags)
    space = Space.read(config["space"])
    base = typed.for_training(words, OWN)
    check_space(space, base)
    if not any(key.startswith(("metrics", "callbacks.metrics", "objective")) for key in space):
        check_objective(config)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "running this search"):
        stored = read_json(folder / report.FILE)
        check_folder(folder, stored, bool(config["resume"]), config["space"])
        with study.Study(
            folder, space, config["direction"], config["sampler"], pruner_of(config), config["seed"]
        ) as opened:
            if stored:
                for trial in opened.put_back():
                    log.info("trial %d was killed; it goes on, or its settings are tried again", trial)
                log.info("going on: %d of %d trials are over", opened.counted(), trials)
            elif config["baseline"]:
                queue_baseline(opened, space, config, choices)
            about = {"overrides": list(words), **{key: config[key] for key in ("space", "objective", "direction")}}
            changed = partial(report.save, folder, about, opened, space)
            search = Search(folder, opened, space, config["objective"], base, changed, config["trainer"]["max_steps"])
            changed()
            try:
                search.run(trials, launch)
            finally:
                changed()
                print_outcome(search, over=opened.counted() >= trials)
            best = opened.best()
    if best is None:
        raise GanLabError(f"no trial came to its end; {shown(folder / report.FILE)} says why")
    return float(best.value or 0.0)


def check_space(space: Space, base: Sequence[str]) -> None:
    """Raise ConfigError where a trial could not even be composed."""
    if not space:
        raise ConfigError("space: is empty; choose one (space=learning_rates) or add a key, e.g. '+space.seed=[0,1]'")
    space.check_apart([read(word).key for word in base])
    ends = {key: dimension.ends() for key, dimension in space.items()}
    for index in range(max(map(len, ends.values()))):  # each composing takes a while: all keys at once
        typed.check_composes([*base, *(f"{key}={texts[index % len(texts)]}" for key, texts in ends.items())], "space")


def check_folder(folder: Path, stored: Mapping[str, Any], resuming: bool, space: Any) -> None:
    """Raise ConfigError where a folder holds another search than the one that is asked for."""
    if not resuming and (stored or (folder / study.FILE).exists()):
        raise already_holds("hydra.run.dir", folder, "a search")
    if resuming and stored.get("space") != space:
        raise ConfigError(f"resume={shown(folder)}: its search space was another one than that file has now")


def pruner_of(config: Mapping[str, Any]) -> Any:
    """The pruner's node. A `min_resource` of null, the steps of the first comparison, is those of a measurement."""
    pruner = config["pruner"]
    if not isinstance(pruner, dict) or pruner.get("min_resource", "") is not None:
        return pruner
    metrics = (config.get("callbacks") or {}).get("metrics") or {}
    return {**pruner, "min_resource": max(metrics.get("every") or config["trainer"]["log_every"], 1)}


def queue_baseline(opened: study.Study, space: Space, config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Let the first trial be the configuration without the search, where that is a point of the space."""
    plain = {**dict(leaves(config)), **{key: choices[key] for key in space if key in choices}}
    values, outside = space.default(plain)
    if outside:
        log.info("no trial of the configuration as it is: %s=%s is not in the space", outside, plain.get(outside))
    else:
        opened.baseline(values)


def print_outcome(search: Search, over: bool) -> None:
    """The table, the pictures, the best overrides, and how to go on."""
    folder, found, space, objective = search.folder, search.study, search.space, search.objective
    best = found.best()
    print("\n".join(["", *report.lines(found, space, objective, terminal_width()), ""]), flush=True)
    if best is not None:
        log.info("best       trial %d: %s %s", best.number, objective, number(best.value))
        baseline = [trial.value for trial in found.trials if trial.user_attrs.get(study.BASELINE)]
        if baseline and baseline[-1] is not None:
            log.info("as it is   %s %s", objective, number(baseline[-1]))
        log.info("to paste   %s", report.to_paste(search.base, space.words(best.params)))
        for path in plots.draw(folder, found, objective):
            log.info("picture    %s", shown(path))
    log.info("dashboard  %s", dashboard(folder))
    more = [f"trials={2 * found.counted()}"] if over else []
    log.info("go on      %s", command("tune", f"resume={shown(folder)}", *more))
