"""`gan-lab ablate`: what each technique is worth. Imports no torch; its trainings do."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.ablation.jobs import BASE, FILE, Job, chosen, planned, seeds_of
from gan_lab.command_line.console import shown
from gan_lab.command_line.overrides import read
from gan_lab.command_line.stored_overrides import is_run
from gan_lab.command_line.table import table, terminal_width
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.pool import Pool
from gan_lab.jobs.training import Launch, Training, words_of, words_to_go_on
from gan_lab.storage.files import write_json
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning.typed import all_words, flags, for_training

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)

OWN = ("techniques", "seeds", "seed", "show", "workers", "launch")  # keys that are not handed on to the trainings


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns the mean of the first figure of the model as it is."""
    from hydra.core.hydra_config import HydraConfig

    from gan_lab.command_line.choices import Choices
    from gan_lab.config import settings

    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ConfigError("needs matplotlib: pip install 'gan-lab[tune]'") from error
    extra = flags()
    known = Choices("ablate", dict([flag.split("=", 1) for flag in extra])).groups().get("technique", [])
    return ablate(settings(cfg), known, Path(HydraConfig.get().runtime.output_dir), all_words(), extra)


def ablate(
    config: dict[str, Any], known: Sequence[str], folder: Path, typed: Sequence[str], extra: Sequence[str] = ()
) -> float:
    """Train what is missing of the jobs that `config` describes, and write the table. `known` are all techniques.

    Raises ConfigError for what cannot be compared, GanLabError where jobs have failed.
    """
    from gan_lab.records.sweep import read_json

    check(config, typed)
    techniques, seeds = chosen(config["techniques"], known), seeds_of(config["seeds"], config["seed"])
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "running this ablation"):
        stored = read_json(folder / FILE)
        if stored and not config["resume"]:
            raise ConfigError(
                f"hydra.run.dir: {shown(folder)} already holds an ablation; "
                f"go on with it by resume={shown(folder)}, or choose another folder"
            )
        before = stored.get("jobs")
        jobs = planned(techniques, seeds, before if isinstance(before, list) else [])
        for job in jobs:
            job.read(folder, config["trainer"]["max_steps"], config["objective"])
        ablation = Ablation(folder, jobs, config, typed, extra)
        ablation.save()
        try:
            ablation.run()
        finally:
            ablation.save()
            mean = ablation.conclude()
    failed = [job.name for job in jobs if job.state == "failed"]
    if failed:
        raise GanLabError(f"{len(failed)} of {len(jobs)} jobs failed: {'; '.join(failed)}")
    return mean


def check(config: Mapping[str, Any], typed: Sequence[str]) -> None:
    """Raise ConfigError for settings that make no ablation."""
    Launch.of(config)
    show = config["show"]
    if show is not None and (not isinstance(show, list) or not all(isinstance(name, str) for name in show)):
        raise ConfigError(f"show: {show!r} is not a list of figures, e.g. show=[modes,reverse_kl]")
    if any(read(word).key == "technique" for word in typed):
        raise ConfigError("technique: is what is compared; name them in techniques=, e.g. techniques=[lecam,packing]")


class Ablation:
    """The jobs in their folder, and the loop that trains them."""

    def __init__(
        self, folder: Path, jobs: list[Job], config: Mapping[str, Any], typed: Sequence[str], extra: Sequence[str]
    ) -> None:
        self.folder = folder
        self.jobs = jobs
        self.config = config
        self.typed = list(typed)
        self.extra = extra
        self._playing: dict[Training, Job] = {}

    def run(self) -> None:
        """Train every job that is not done. Raises SystemExit where a signal stopped it."""
        waiting = [job for job in self.jobs if job.state == "waiting"]
        launch = Launch.of(self.config)

        def begin() -> Training | None:
            refused = {job.technique: job.error for job in self.jobs if job.state == "refused"}
            while waiting and waiting[0].technique in refused:
                job = waiting.pop(0)
                job.state, job.error = "refused", refused[job.technique]
            return self._begin(waiting.pop(0), launch) if waiting else None

        with Pool(launch.workers) as self._pool:
            try:
                self._pool.run(begin, lambda training, code: self._ended(self._playing.pop(training), training, code))
            finally:
                for job in self._playing.values():
                    job.state = "interrupted"

    def _begin(self, job: Job, launch: Launch) -> Training:
        run = self.folder / job.folder
        base = for_training(self.typed, OWN)
        words = words_to_go_on(base, run, self.extra) if is_run(run) else words_of(base, job.words(), run, self.extra)
        training = launch.begin(words, run, self.folder / ".said" / f"{job.technique}-{job.seed}.txt")
        job.state = "running"
        self._playing[training] = job
        log.info("%s begins", job.name)
        self.save()
        return training

    def _ended(self, job: Job, training: Training, code: int) -> None:
        job.seconds = (job.seconds or 0.0) + training.seconds
        if code == 0 and job.read(self.folder, self.config["trainer"]["max_steps"], self.config["objective"]):
            log.info("%s finished in %.0f s", job.name, training.seconds)
        elif self._pool.signal is not None:
            job.state = "interrupted"
            log.info("%s was interrupted", job.name)
        else:
            why = training.complaint(code) if code else "it ended without finishing"
            refused = code == ConfigError.exit_code
            job.state, job.error = "refused" if refused else "failed", why
            log.warning("%s %s: %s", job.name, job.state, why)
            if refused and job.technique == BASE:
                raise ConfigError(why)
        self.save()

    def save(self) -> None:
        """Write `ablation.json`."""
        jobs = [job.facts() for job in self.jobs]
        write_json(self.folder / FILE, {"overrides": self.typed, "objective": self.config["objective"], "jobs": jobs})

    def conclude(self) -> float:
        """Print and write the table. Returns the first figure's mean for the model as it is."""
        from gan_lab.ablation.picture import draw
        from gan_lab.ablation.table import cells, tabulated, write

        found = tabulated(self.jobs, self.config["show"])
        header, rows = cells(found)
        print(
            "\n".join(["", *table(header, rows, terminal_width(), numbers=(*found.figures, "seeds")), ""]), flush=True
        )
        if found.missing:
            log.warning("show: no run has one figure %s", " or ".join(found.missing))
        words = " ".join(for_training(self.typed, ("workers", "launch")))
        write(self.folder / "table.md", found, f"`gan-lab ablate {words}`: mean ± standard deviation over the seeds.")
        drawn = draw(self.folder / "table.png", found)
        log.info("table      %s", shown(self.folder / "table.md"))
        if drawn is not None:
            log.info("picture    %s", shown(drawn))
        log.info("dashboard  tensorboard --logdir %s", shown(self.folder))
        if any(job.state not in ("finished", "refused") for job in self.jobs):
            log.info("go on      gan-lab ablate resume=%s", shown(self.folder))
        return found.rows[0].cells[found.figures[0]].mean if found.figures else math.nan
