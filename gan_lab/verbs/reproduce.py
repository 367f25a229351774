"""`gan-lab reproduce`: run recipes again, and say whether they reach what was measured. Imports no torch; its trainings
do."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.ablation.jobs import choose_seeds
from gan_lab.command_line.console import config_flags, shown
from gan_lab.command_line.nearest import nearest
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.config import CONFIG_DIR, settings
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.supervisor import End
from gan_lab.jobs.training import Launch
from gan_lab.reproduction.attempt import Attempt, Verdict
from gan_lab.reproduction.recipe import PATH, Recipe, find
from gan_lab.storage.files import write_json
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning import typed

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)

# Keys that are not handed on to the trainings.
OWN = ("recipes", "all", "cheap", "seeds", "seed", "folder", "workers", "launch")
FILE = "reproduction.json"


def main(cfg: DictConfig) -> None:
    """The Hydra task."""
    from hydra.core.hydra_config import HydraConfig

    flags = config_flags(HydraConfig.get())
    own = [Path(flag.split("=", 1)[1]) for flag in flags]
    config = settings(cfg)
    known = find([*own, CONFIG_DIR])
    recipes = choose(config, known)
    if not recipes:
        print("\n".join(listing(list(known.values()), bool(config["cheap"]))))
        return
    words = typed.for_training(typed.all_words(), OWN)
    reproduce(recipes, config, words, flags)


def choose(config: Mapping[str, Any], known: Mapping[str, Recipe]) -> list[Recipe]:
    """The recipes to run: those named, or all (`cheap`: those under five minutes); none where nothing is asked for.

    Raises ConfigError for one that is not there or that nothing was measured of.
    """
    names, every, cheap = config["recipes"], config["all"], config["cheap"]
    if not isinstance(names, list):
        raise ConfigError(f"recipes: {names!r} is not a list of names; type them as bare words: gan-lab reproduce gan")
    if names and every:
        raise ConfigError("all=true runs every recipe; leave it out, or the names")
    for name in map(str, names):
        if name not in known:
            raise ConfigError(f"recipes: unknown {name}{nearest(name, known)}; gan-lab reproduce lists them")
        if not known[name].bands:
            raise ConfigError(
                f"recipes: nothing is expected of {name}, so nothing can be held against it (write expected: into its "
                f"YAML); gan-lab train experiment={name} trains it"
            )
    if not every:
        return [known[name] for name in dict.fromkeys(map(str, names))]
    chosen = [each for each in known.values() if each.bands and each.needs != PATH and (each.cheap or not cheap)]
    if left := [each.name for each in known.values() if each.bands and each.needs == PATH]:
        log.info("left out, because they need your images (dataset.path=): %s", ", ".join(left))
    if not chosen:
        raise ConfigError("all: there is no such recipe")
    return chosen


def listing(recipes: Sequence[Recipe], cheap: bool = False) -> list[str]:
    """A table of the recipes: what each needs, how long one seed takes, what was measured, and the band."""
    header = ("recipe", "data", "needs", "time", "seeds", "measured", "band")
    rows = [
        (
            each.name,
            each.dataset,
            each.needs,
            "" if each.seconds is None else minutes(each.seconds),
            number(each.seeds or None),
            ", ".join(band.measured for band in each.bands),
            ", ".join(map(str, each.bands)),
        )
        for each in recipes
        if each.cheap or not cheap
    ]
    told = "time: of one seed on two quiet cores; band: where every run is to end; seeds: that it was measured with"
    return [*table(header, rows, terminal_width(), numbers=("time", "seeds")), "", told]


def minutes(seconds: float) -> str:
    """`3:20`."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def reproduce(
    recipes: Sequence[Recipe], config: Mapping[str, Any], words: Sequence[str] = (), flags: Sequence[str] = ()
) -> None:
    """Run each recipe with each seed, what has ended in `folder` already left out, and say what became of it. `words`
    are overrides for every run.

    Raises GanLabError where a run lies outside of its band, or has failed.
    """
    launch, seeds = Launch.of(config, flags), choose_seeds(config["seeds"], config["seed"])
    now = f"{datetime.datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    folder = Path(config["folder"] or Path("outputs", "reproductions", now)).absolute()
    verdicts = [Verdict(recipe, [Attempt(recipe, seed) for seed in seeds]) for recipe in recipes]
    total = sum(recipe.seconds or 0 for recipe in recipes) * len(seeds) / launch.workers
    log.info("%d runs, about %s minutes on two quiet cores, in %s", len(verdicts) * len(seeds), minutes(total), folder)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "reproducing there"):
        try:
            launch.train(folder, to_do(verdicts, words, folder), lambda attempt, end: hear(attempt, end, folder))
        finally:
            write_json(folder / FILE, {"overrides": list(words), "recipes": [each.record() for each in verdicts]})
            print("\n".join(["", *summary(verdicts), ""]), flush=True)
            if any(verdict.missing for verdict in verdicts):
                log.info("go on: the same command with folder=%s", shown(folder))
    outside = [f"{each.recipe.name} {each}: {reasons(each)}" for each in verdicts if not each.inside]
    if outside:
        raise GanLabError("; ".join(outside))


def to_do(verdicts: Sequence[Verdict], words: Sequence[str], folder: Path) -> Iterator[tuple[Attempt, list[str]]]:
    """What has not ended yet, with the overrides to start it with."""
    for attempt in (attempt for verdict in verdicts for attempt in verdict.attempts):
        if attempt.is_done(folder):
            log.info("%s is done already", attempt.name)
        else:
            yield attempt, typed.to_start(words, attempt.overrides, folder / attempt.folder)


def hear(attempt: Attempt, end: End, folder: Path) -> None:
    """Take down how a run has begun or ended, and say so."""
    attempt.state, attempt.error = end.state, end.error
    attempt.seconds = end.seconds
    if end.state == "running":
        log.info("%s begins", attempt.name)
    elif end.state == "finished" and attempt.is_done(folder):
        told = ", ".join(f"{band.metric} {number(attempt.figure(band.metric))}" for band in attempt.recipe.bands)
        verdict = "inside" if attempt.inside else "outside"
        log.info("%s: %s its band, %s, in %s", attempt.name, verdict, told, minutes(attempt.seconds or 0))
    elif end.state in ("stopped", "interrupted"):
        attempt.state = "interrupted"
        log.info("%s was interrupted", attempt.name)
    else:
        attempt.state = "refused" if end.state == "refused" else "failed"
        log.warning("%s %s: %s", attempt.name, attempt.state, attempt.error)


def summary(verdicts: Sequence[Verdict]) -> list[str]:
    """A table: what was found, over how many seeds, and whether it lies in the band."""
    rows = []
    for each in verdicts:
        seconds = [attempt.seconds for attempt in each.attempts if attempt.seconds]
        rows.append(
            (
                each.recipe.name,
                str(each),
                each.figures,
                ", ".join(map(str, each.recipe.bands)),
                f"{sum(attempt.state == 'finished' for attempt in each.attempts)}",
                minutes(sum(seconds) / len(seconds)) if seconds else "",
            )
        )
    header = ("recipe", "verdict", "found", "band", "seeds", "time")
    return table(header, rows, terminal_width(), numbers=("seeds", "time"))


def reasons(verdict: Verdict) -> str:
    """Why a recipe is not reproduced."""
    if verdict.failed:
        return "; ".join(f"seed {attempt.seed} {attempt.error}" for attempt in verdict.failed)
    if verdict.missing:
        return f"seeds {', '.join(str(attempt.seed) for attempt in verdict.missing)} have not ended"
    return f"{verdict.figures}, where {', '.join(map(str, verdict.recipe.bands))} is expected"
