"""A sweep: every combination of the values that were typed, each a job; one that was stopped does what is missing.

Hydra's own sweeper starts over each time and stops at the first job that another process reports as failed. This one
numbers the jobs in the same way, so a job keeps its number and its folder whenever the sweep is taken up again.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override as Parsed
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from gan_lab.command_line.console import already_holds, command, config_flags, say, shown
from gan_lab.command_line.overrides import merge, own_overrides, quote, read
from gan_lab.command_line.stored_overrides import is_among, is_run, stored_overrides, sweep_overrides
from gan_lab.command_line.table import number, terminal_width
from gan_lab.distributed.processes import cores
from gan_lab.errors import ConfigError
from gan_lab.jobs.cluster import Planned, Submission
from gan_lab.jobs.supervisor import End, Supervisor
from gan_lab.jobs.task import Task
from gan_lab.jobs.training import Launch
from gan_lab.records.record import Record
from gan_lab.records.sweep import Numbered, Sweep, ask_to_stop, stored_jobs
from gan_lab.storage.files import finite, write_text
from gan_lab.storage.lock import lock_folder

JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
# Hydra's settings that are about the whole sweep, and none of its jobs.
OF_THE_SWEEP = "hydra.mode hydra.run hydra.sweep hydra.sweeper hydra/sweeper hydra.launcher hydra/launcher".split()


class Sweeper(HydraSweeper):
    """`max_batch_size`: how many jobs run at once, or are in a launcher's hands; null is as many as there are cores on
    this machine, and all of them elsewhere.

    `params` are overrides that every sweep has, e.g. `{seed: "0,1,2"}`.
    """

    def __init__(self, max_batch_size: int | None = None, params: Mapping[str, Any] | None = None) -> None:
        self.max_batch_size = max_batch_size
        self.params = dict(params or {})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        assert isinstance(task_function, Task)
        self.master, self.context, self.task = config, hydra_context, task_function

    def sweep(self, arguments: list[str]) -> None:
        """Run every job that is not done. What became of them is said and written to `sweep.json`."""
        folder = Path(str(self.master.hydra.sweep.dir)).absolute()
        resuming = any(read(word).key == "resume" for word in arguments)
        if not resuming and (folder / "multirun.yaml").exists():
            raise already_holds("hydra.sweep.dir", folder, "a sweep")
        planned = self._plan(folder, arguments, resuming)
        waiting = [(job, words) for job, words in planned if job.state == "waiting"]
        self.record = Sweep(folder, str(self.master.get("objective")), [job for job, _ in planned], self.task.session)
        folder.mkdir(parents=True, exist_ok=True)
        with lock_folder(folder, "running this sweep"):
            ask_to_stop(folder, False)
            self.record.save()
            if not resuming:
                self._remember()
            try:
                self._run(waiting)
            finally:
                self.record.close()
                if resuming and any(job.state in ("finished", "stopped") for job, _ in waiting):
                    self._remember()
                self._conclude()

    def _plan(self, folder: Path, arguments: list[str], resuming: bool) -> list[Planned]:
        """Every job with its folder, compared with what is there already. All are composed: a mistake ends the sweep
        before it begins."""
        asked = own = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        self.typed: list[str] = []
        if resuming:
            stored = set(sweep_overrides(folder, arguments))
            self.typed = [word for word in arguments if word not in stored and read(word).key != "resume"]
            own = [word for word in asked if read(word).key != "resume"]
        known = stored_jobs(folder) if resuming else {}
        planned = []
        parsed = OverridesParser.create(config_loader=self.context.config_loader).parse_overrides(own)
        for at, words in enumerate(combinations(parsed)):
            before = known.get(at, {})
            name = before.get("folder") or str(OmegaConf.select(self._composed(words, at), "hydra.sweep.subdir"))
            job = Numbered(at, overrides=own_overrides(words), folder=name)
            start = [*words, f"hydra.sweep.subdir={quote(name)}"]
            if resuming and is_run(folder / name):
                job.seconds = before.get("seconds")
                start = self._take_up(job, folder) or start
            planned.append((job, start))
        return planned

    def _take_up(self, job: Numbered, folder: Path) -> list[str]:
        """The overrides with which a job goes on, like a run that is resumed; its state says so where it need not."""
        run = folder / job.folder
        try:
            words = merge(stored_overrides(run, self.typed), self.typed)
        except ConfigError as error:
            job.state, job.error = "failed", str(error)
            return []
        composed = self._composed(words, job.number)
        job.read(folder, composed.trainer.max_steps, str(composed.objective))
        own = (f"resume={quote(str(run))}", f"hydra.sweep.subdir={quote(job.folder)}", "hydra.output_subdir=null")
        return [*words, *own]

    def _composed(self, words: Sequence[str], number: int) -> DictConfig:
        """The configuration of one job, as the launcher will compose it."""
        config = self.context.config_loader.load_sweep_config(self.master, list(words))
        with read_write(config), open_dict(config):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        HydraConfig.instance().set_config(config)
        return config

    def _run(self, waiting: list[Planned]) -> None:
        """Do the jobs: side by side in processes of our own, one by one in this one, or by a launcher of Hydra's."""
        for job in self.record.jobs:
            if job.state == "failed":
                self.task.tell(job.name, job.error)
        kind = str(self.master.hydra.launcher._target_).rpartition(".")[2]
        if self.master.hydra.launcher._target_ == JOBLIB:
            self._run_side_by_side(waiting)
            return
        launcher = Plugins.instance().instantiate_launcher(self.context, self.task, self.master)
        if kind == "BasicLauncher":
            for job, words in waiting:
                launcher.launch([words], initial_job_idx=job.number)
                self.record.read(job)
                self.record.save()
        else:
            self._run_elsewhere(waiting, launcher, kind)

    def _run_side_by_side(self, waiting: list[Planned]) -> None:
        at_once = self.master.hydra.launcher.n_jobs or -1
        at_once = min(at_once if at_once > 0 else cores(), self.max_batch_size or len(waiting), len(waiting))
        flags = (f"--config-name={self.master.hydra.job.config_name}", *config_flags(self.master.hydra))
        hydra = [word for word in self.master.hydra.overrides.hydra if not is_among(read(word).key, OF_THE_SWEEP)]
        for word in self.master.hydra.overrides.hydra:
            if is_among(read(word).key, ["hydra.launcher"]) and read(word).key != "hydra.launcher.n_jobs":
                say(self.task.verb, f"{word}: a setting of joblib itself, which is not used")
        jobs = []
        for job, words in waiting:
            place = quote(str(self.record.folder / job.folder))
            begun = f"resume={place}" in words  # it takes the rest from there by itself
            own = [*self.typed, f"resume={place}"] if begun else [*words, f"hydra.run.dir={place}"]
            jobs.append((job, [*hydra, f"hydra.job.num={job.number}", *own]))
        Launch(at_once, flags=flags).train(self.record.folder, jobs, self._tell)

    def _run_elsewhere(self, waiting: list[Planned], launcher: Launcher, kind: str) -> None:
        each = OmegaConf.select(self.master, "hydra.launcher.cpus_per_task")
        here = max(cores() // (each or 1), 1)
        size = self.max_batch_size or (here if kind == "LocalLauncher" else max(len(waiting), 1))
        if kind != "SlurmLauncher":  # they share this machine
            each = each or max(cores() // min(here, size, max(len(waiting), 1)), 1)
        self.task.threads = each
        parts = (waiting[start : start + size] for start in range(0, len(waiting), size))

        def ended(_: None, end: End) -> None:
            if end.error:
                self.task.tell("", end.error)
                self.task.code = 1

        Supervisor(1).run(((None, Submission(launcher, self.record, part, self._tell)) for part in parts), ended)

    def _tell(self, job: Numbered, end: End) -> None:
        """Say what has become of a job in another process, and write it down."""
        job.state, job.seconds, job.error = end.state, end.seconds, end.error
        if end.state in ("failed", "refused"):
            job.state = "failed"
            self.task.tell(job.name, end.error, end.traceback if self.task.tracebacks else "")
        else:
            what = "begins" if end.state == "running" else end.state
            if end.state == "finished":
                job.objective = finite(Record(self.record.folder / job.folder, "").get("objective"))
                what += f" in {number(end.seconds)} s, {self.record.objective} {number(job.objective)}"
            print(f"{job.name} {what}", flush=True)
        self.record.save()

    def _remember(self) -> None:
        """Write what the sweep is, so that it can be taken up again."""
        config = copy.deepcopy(self.master)
        with read_write(config), open_dict(config):
            config.hydra.overrides.task = own_overrides(list(config.hydra.overrides.task))
        write_text(self.record.folder / "multirun.yaml", OmegaConf.to_yaml(config))

    def _conclude(self) -> None:
        folder, jobs = self.record.folder, self.record.jobs
        self.task.jobs = len(jobs)
        print("\n".join(["", *self.record.lines(terminal_width()), ""]))
        print(f"sweep      {shown(folder)}")
        if any(job.state != "finished" for job in jobs):
            print(f"go on      {command('train', f'resume={shown(folder)}')}", flush=True)


def combinations(overrides: Sequence[Parsed]) -> Iterator[list[str]]:
    """Every combination of the values, the last key changing fastest; of two values for one key the later stands."""
    values: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if not override.is_sweep_override():
            values[key] = [str(override.input_line)]
        elif override.is_discrete_sweep():
            values[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise HydraException(f"{override.input_line}: an interval needs another sweeper; give the values, a,b,c")
    yield from map(list, itertools.product(*values.values()))


@contextmanager
def our_sweeper() -> Iterator[None]:
    """Sweep with `Sweeper` where Hydra would with its basic one; a sweeper that the user has chosen stays.

    Hydra takes plugins from its own package only, so the one that makes them is told, for one sweeper.
    """
    plugins = Plugins.instance()
    if not ConfigStore.instance().list("hydra/launcher").count("joblib.yaml"):  # it needs no joblib here
        ConfigStore.instance().store("joblib", {"_target_": JOBLIB, "n_jobs": -1}, "hydra/launcher")

    def make(*, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> HydraSweeper:
        put_back()  # jobs in other processes get a copy of `plugins`
        options = {key: value for key, value in config.hydra.sweeper.items() if not str(key).startswith("_")}
        if not str(config.hydra.sweeper._target_).endswith(".BasicSweeper"):
            chosen: HydraSweeper = plugins.instantiate_sweeper(
                hydra_context=hydra_context, task_function=task_function, config=config
            )
            return chosen
        sweeper = Sweeper(**options)
        sweeper.setup(hydra_context=hydra_context, task_function=task_function, config=config)
        return sweeper

    def put_back() -> None:
        vars(plugins).pop("instantiate_sweeper", None)

    vars(plugins)["instantiate_sweeper"] = make
    try:
        yield
    finally:
        put_back()
