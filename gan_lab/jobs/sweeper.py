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

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override as Parsed
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from gan_lab.command_line.console import shown
from gan_lab.command_line.overrides import merge, own_overrides, quote, read
from gan_lab.command_line.stored_overrides import is_run, stored_overrides, sweep_overrides
from gan_lab.errors import ConfigError
from gan_lab.jobs.job import Job
from gan_lab.jobs.supervisor import Supervisor
from gan_lab.jobs.worker import cores
from gan_lab.records.sweep import Entry, Sweep, ask_to_stop, finished, read_note, stored_folders
from gan_lab.storage.files import write_text
from gan_lab.storage.lock import lock_folder

Planned = tuple[Entry, list[str]]  # a job, and the overrides that it is to be started with


class Sweeper(HydraSweeper):
    """`max_batch_size`: how many jobs a launcher gets at once; null is all, on one machine one for each core.

    `params` are overrides that every sweep has, e.g. `{seed: "0,1,2"}`.
    """

    def __init__(self, max_batch_size: int | None = None, params: Mapping[str, Any] | None = None) -> None:
        self.max_batch_size = max_batch_size
        self.params = dict(params or {})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        assert isinstance(task_function, Job)
        self.master, self.composer, self.job = config, hydra_context.config_loader, task_function
        self.starter: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run every job that is not done. What became of them is said and written to `sweep.json`."""
        folder = Path(str(self.master.hydra.sweep.dir)).absolute()
        resuming = any(read(word).key == "resume" for word in arguments)
        if not resuming and (folder / "multirun.yaml").exists():
            raise ConfigError(
                f"hydra.sweep.dir: {shown(folder)} already holds a sweep; "
                f"go on with it by resume={shown(folder)}, or choose another folder"
            )
        planned = self._plan(folder, arguments, resuming)
        entries = [entry for entry, _ in planned]
        sweep = Sweep(folder, str(self.master.get("objective")), entries, self.job.session)
        folder.mkdir(parents=True, exist_ok=True)
        with lock_folder(folder, "running this sweep"):
            ask_to_stop(folder, False)
            sweep.save()
            if not resuming:
                self._remember(folder)
            try:
                self._launch(sweep, [(entry, words) for entry, words in planned if entry.state == "waiting"])
            finally:
                sweep.close()
                sweep.save()
                if resuming and sweep.moved:
                    self._remember(folder)
                self._conclude(sweep)

    def _plan(self, folder: Path, arguments: list[str], resuming: bool) -> list[Planned]:
        """Every job with its folder, compared with what is there already. All are composed: a mistake ends the sweep
        before it begins."""
        asked = own = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        typed: list[str] = []
        if resuming:
            stored = set(sweep_overrides(folder, arguments))
            typed = [word for word in arguments if word not in stored and read(word).key != "resume"]
            own = [word for word in asked if read(word).key != "resume"]
        names = stored_folders(folder) if resuming else {}
        planned = []
        for number, words in enumerate(combinations(self._parsed(own))):
            name = names.get(number) or str(OmegaConf.select(self._composed(words, number), "hydra.sweep.subdir"))
            entry = Entry(number, own_overrides(words), name)
            start = [*words, f"hydra.sweep.subdir={quote(name)}"]
            if resuming and is_run(folder / name):
                start = self._taken_up(entry, folder / name, typed) or start
            planned.append((entry, start))
        return planned

    def _taken_up(self, entry: Entry, run: Path, typed: Sequence[str]) -> list[str]:
        """The overrides with which a job goes on, like a run that is resumed; `entry` says so where it need not."""
        try:
            words = merge(stored_overrides(run, typed), typed)
        except ConfigError as error:
            entry.state, entry.error = "failed", str(error)
            return []
        composed = self._composed(words, entry.job)
        if (done := finished(run, composed.trainer.max_steps, str(composed.objective))) is not None:
            entry.state, (entry.objective, entry.seconds) = "finished", done
            entry.seconds = read_note(run.parents[len(Path(entry.folder).parts) - 1], entry.job).get("seconds", done[1])
        own = (f"resume={quote(str(run))}", f"hydra.sweep.subdir={quote(entry.folder)}", "hydra.output_subdir=null")
        return [*words, *own]

    def _parsed(self, words: Sequence[str]) -> list[Parsed]:
        return OverridesParser.create(config_loader=self.composer).parse_overrides(list(words))

    def _composed(self, words: Sequence[str], number: int) -> DictConfig:
        """The configuration of one job, as the launcher will compose it."""
        config = self.composer.load_sweep_config(self.master, list(words))
        with read_write(config), open_dict(config):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        HydraConfig.instance().set_config(config)
        return config

    def _launch(self, sweep: Sweep, waiting: list[Planned]) -> None:
        """Hand the jobs to the launcher: one by one in this process, otherwise by batches."""
        kind = str(self.master.hydra.launcher._target_).rpartition(".")[2]
        for entry in sweep.entries:
            if entry.state == "failed":
                self.job.tell(entry.name(), entry.error)
        if kind == "BasicLauncher":
            for entry, words in waiting:
                self.starter.launch([words], initial_job_idx=entry.job)
                sweep.refresh()
                sweep.save()
            return
        size, self.job.threads = self._share(kind, len(waiting))
        with Supervisor(sweep, self.job, shield=kind == "LocalLauncher") as together:
            for start in range(0, len(waiting), size):
                batch = waiting[start : start + size]
                if together.signal is not None:
                    break
                together.launch(self.starter, [words for _, words in batch], Numbers.of(batch))

    def _share(self, kind: str, waiting: int) -> tuple[int, int | None]:
        """How many jobs to hand over at once, and the threads of each where they share this machine."""
        each = OmegaConf.select(self.master, "hydra.launcher.cpus_per_task")
        if kind == "SlurmLauncher":
            return self.max_batch_size or max(waiting, 1), each
        at_once = OmegaConf.select(self.master, "hydra.launcher.n_jobs") or -1
        at_once = max(cores() // (each or 1), 1) if at_once < 0 else at_once
        size = self.max_batch_size or (at_once if kind == "LocalLauncher" else max(waiting, 1))
        return size, each or max(cores() // min(at_once, size, max(waiting, 1)), 1)

    def _remember(self, folder: Path) -> None:
        """Write what the sweep is, so that it can be taken up again."""
        config = copy.deepcopy(self.master)
        with read_write(config), open_dict(config):
            config.hydra.overrides.task = own_overrides(list(config.hydra.overrides.task))
        write_text(folder / "multirun.yaml", OmegaConf.to_yaml(config))

    def _conclude(self, sweep: Sweep) -> None:
        from gan_lab.command_line.table import terminal_width

        self.job.jobs = len(sweep.entries)
        print("\n".join(["", *sweep.lines(terminal_width()), ""]))
        print(f"sweep      {shown(sweep.folder)}")
        if any(entry.state != "finished" for entry in sweep.entries):
            print(f"go on      gan-lab train resume={shown(sweep.folder)}", flush=True)


class Numbers(int):
    """The numbers of a batch's jobs, which need not be in a row; a launcher numbers them `first + i`."""

    numbers: list[int]

    @classmethod
    def of(cls, batch: Sequence[Planned]) -> Numbers:
        made = cls(batch[0][0].job)
        made.numbers = [entry.job for entry, _ in batch]
        return made

    def __add__(self, index: int) -> int:
        return self.numbers[index]


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
