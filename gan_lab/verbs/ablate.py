"""`gan-lab ablate`: what each technique is worth. Imports no torch; its trainings do."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.ablation import jobs, picture, table
from gan_lab.ablation.jobs import BASE, FILE, Variant
from gan_lab.command_line.choices import Choices
from gan_lab.command_line.console import already_holds, command, config_flags, dashboard, shown
from gan_lab.command_line.overrides import read
from gan_lab.command_line.table import table as columns
from gan_lab.command_line.table import terminal_width
from gan_lab.config import settings
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.supervisor import End
from gan_lab.jobs.training import Launch
from gan_lab.metrics.objective import check_objective
from gan_lab.storage.files import read_json, write_json, write_text
from gan_lab.storage.lock import lock_folder
from gan_lab.tuning import typed
from gan_lab.tuning.study import check_installed

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)

OWN = ("techniques", "seeds", "seed", "show", "workers", "launch")  # keys that are not handed on to the trainings


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns the mean of the first figure of the model as it is."""
    from hydra.core.hydra_config import HydraConfig

    check_installed("matplotlib")
    hydra = HydraConfig.get()
    flags = config_flags(hydra)
    known = Choices("ablate", dict([flag.split("=", 1) for flag in flags])).groups().get("technique", [])
    return ablate(settings(cfg), known, Path(hydra.runtime.output_dir), typed.all_words(), flags)


def ablate(
    config: dict[str, Any], known: Sequence[str], folder: Path, words: Sequence[str], flags: Sequence[str] = ()
) -> float:
    """Train what is missing of the jobs that `config` describes, and write the table. `known` are all techniques,
    `words` the overrides that `config` comes of.

    Raises ConfigError for what cannot be compared, GanLabError where jobs have failed.
    """
    launch = Launch.of(config, flags)
    check_settings(config, words)
    techniques = jobs.choose_techniques(config["techniques"], known)
    seeds = jobs.choose_seeds(config["seeds"], config["seed"])
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, "running this ablation"):
        stored = read_json(folder / FILE)
        if stored and not config["resume"]:
            raise already_holds("hydra.run.dir", folder, "an ablation")
        before = stored.get("jobs")
        planned = jobs.plan(techniques, seeds, before if isinstance(before, list) else [])
        ablation = Ablation(folder, planned, config, list(words))
        for job in planned:
            ablation.is_done(job)
        ablation.save()
        try:
            ablation.run(launch)
        finally:
            ablation.save()
            mean = ablation.conclude()
    failed = [job.name for job in planned if job.state == "failed"]
    if failed:
        raise GanLabError(f"{len(failed)} of {len(planned)} jobs failed: {'; '.join(failed)}")
    return mean


def check_settings(config: Mapping[str, Any], words: Sequence[str]) -> None:
    """Raise ConfigError for settings that make no ablation."""
    show = config["show"]
    if show is not None and (not isinstance(show, list) or not all(isinstance(name, str) for name in show)):
        raise ConfigError(f"show: {show!r} is not a list of figures, e.g. show=[modes,reverse_kl]")
    if any(read(word).key == "objective" for word in words):
        check_objective(config)
    if any(read(word).key == "technique" for word in words):
        raise ConfigError("technique: is what is compared; name them in techniques=, e.g. techniques=[lecam,packing]")


@dataclass
class Ablation:
    """The jobs in their folder, and their trainings."""

    folder: Path
    jobs: list[Variant]
    config: Mapping[str, Any]
    words: list[str]

    def run(self, launch: Launch) -> None:
        """Train every job that is not done. Raises SystemExit where a signal stopped it."""
        launch.train(self.folder, self._missing(), self._tell)

    def _missing(self) -> Iterator[tuple[Variant, list[str]]]:
        """What has been refused once is not tried with another seed."""
        base = typed.for_training(self.words, OWN)
        for job in self.jobs:
            refused = {other.technique: other.error for other in self.jobs if other.state == "refused"}
            if job.state == "waiting" and job.technique in refused:
                job.state, job.error = "refused", refused[job.technique]
            elif job.state == "waiting":
                yield job, typed.to_start(base, job.overrides, self.folder / job.folder)

    def is_done(self, job: Variant) -> bool:
        """Whether its run has come to its end, which is then taken over."""
        return job.read(self.folder, self.config["trainer"]["max_steps"], self.config["objective"])

    def _tell(self, job: Variant, end: End) -> None:
        job.seconds = (job.seconds or 0.0) + end.seconds if end.seconds else job.seconds
        job.state, job.error = end.state, end.error
        if end.state == "running":
            log.info("%s begins", job.name)
        elif end.state in ("stopped", "interrupted"):
            job.state = "interrupted"
            log.info("%s was interrupted", job.name)
        elif end.state == "finished" and self.is_done(job):
            log.info("%s finished in %.0f s", job.name, end.seconds)
        else:
            if end.state == "finished":
                job.state, job.error = "failed", "it ended without finishing"
            log.warning("%s %s: %s", job.name, job.state, job.error)
            if job.state == "refused" and job.technique == BASE:
                raise ConfigError(job.error)
        self.save()

    def save(self) -> None:
        """Write `ablation.json`."""
        about = {"overrides": self.words, "objective": self.config["objective"]}
        write_json(self.folder / FILE, {**about, "jobs": [asdict(job) for job in self.jobs]})

    def conclude(self) -> float:
        """Print and write the table. Returns the first figure's mean for the model as it is."""
        found = table.tabulate(self.jobs, self.config["show"])
        header, rows = table.cells(found)
        lines = columns(header, rows, terminal_width(), numbers=(*found.figures, "seeds"))
        print("\n".join(["", *lines, ""]), flush=True)
        if found.missing:
            log.warning("show: no run has one figure %s", " or ".join(found.missing))
        typed_here = command("ablate", *typed.for_training(self.words, ("workers", "launch")))
        caption = f"`{typed_here}`: mean ± standard deviation over the seeds."
        write_text(self.folder / "table.md", table.markdown(found, caption))
        log.info("table      %s", shown(self.folder / "table.md"))
        if (drawn := picture.draw(self.folder / "table.png", found)) is not None:
            log.info("picture    %s", shown(drawn))
        log.info("dashboard  %s", dashboard(self.folder))
        if any(job.state not in ("finished", "refused") for job in self.jobs):
            log.info("go on      %s", command("ablate", f"resume={shown(self.folder)}"))
        return found.rows[0].cells[found.figures[0]].mean if found.figures else math.nan
