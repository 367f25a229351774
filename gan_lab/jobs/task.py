"""What Hydra runs: one verb's task, whose failure is a line on the terminal and a traceback in the log."""

from __future__ import annotations

import gc
import importlib
import logging
import math
import os
import re
import sys
import time
import traceback
import uuid
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationResolutionError, MissingMandatoryValue, OmegaConfBaseException

from gan_lab import config
from gan_lab.command_line.console import say, silence
from gan_lab.command_line.explain import reason
from gan_lab.command_line.overrides import own_overrides
from gan_lab.command_line.verbs import VERBS
from gan_lab.config import targets
from gan_lab.errors import HELP, ConfigError, GanLabError, of_the_system
from gan_lab.jobs.supervisor import STOPPED
from gan_lab.records.sweep import Numbered, read_note, stop_asked, write_note
from gan_lab.storage.folders import discard

log = logging.getLogger("gan_lab")

# What a training cannot do without.
PARTS = ("model", "dataset", "loss", "optimizer", "algorithm", "augmentation", "trainer", "extractor")
NEEDED = (*PARTS, "engine", "seed", "device", "precision", "objective", "resume", "resume_force", "trust")

TASK_OF_A_JOB = ("SLURM_PROCID", "SUBMITIT_LOCAL_GLOBALID")  # which of the processes that submitit has started this is


class Task:
    """A Hydra task that never raises an Exception: `code` is what the command should exit with.

    In a sweep every job is one call. A job that fails is reported and returns NaN, and the others run. How it begins
    and ends is noted in the sweep's folder, because a launcher may start it in another process, with a copy of this
    object. `session` tells the notes of this call of the command from earlier ones; `threads` is a job's share of the
    cores where several run at once.
    """

    def __init__(self, verb: str, tracebacks: bool = False) -> None:
        self.verb = verb
        self.tracebacks = tracebacks
        self.pid = os.getpid()
        self.session = uuid.uuid4().hex
        self.threads: int | None = None
        self.code = 0
        self.jobs = 0
        self.failed: list[str] = []

    def __call__(self, cfg: DictConfig) -> float | None:
        if HydraConfig.get().mode != RunMode.MULTIRUN:
            return self._run(cfg, "")[0]
        hydra = HydraConfig.get()
        sweep = Path(hydra.runtime.output_dir).parents[len(Path(hydra.sweep.subdir).parts) - 1]
        if os.getpid() == self.pid:
            return self._noted(cfg, sweep)
        if stop_asked(sweep):
            return float("nan")
        from gan_lab.jobs.worker import as_worker

        with as_worker(sweep, self.threads):
            return self._noted(cfg, sweep)

    def _noted(self, cfg: DictConfig, sweep: Path) -> float | None:
        """Run one job of a sweep, telling its folder how it stands: of a job's several machines the first does."""
        hydra = HydraConfig.get()
        number = int(hydra.job.num)
        name = Numbered(number, overrides=own_overrides(list(hydra.overrides.task))).name
        began = time.time()
        self._take_up(cfg, read_note(sweep, number))
        note = partial(write_note, sweep, number) if self._is_first() else _not_noted
        note(state="running", session=self.session)
        self.jobs += 1
        log.info(name)
        state = "stopped"
        told: dict[str, Any] = {}
        try:
            result, told = self._run(cfg, name)
            state = "failed" if told else "finished"
            if not told and isinstance(result, float):
                told = {"objective": result if math.isfinite(result) else None}
            return result
        except (KeyboardInterrupt, SystemExit) as stop:
            if os.getpid() != self.pid and getattr(stop, "code", None) in (None, *STOPPED):
                return float("nan")
            raise
        finally:
            seconds = round(time.time() - began, 1)
            note(state=state, session=self.session, seconds=seconds, **told)

    def _is_first(self) -> bool:
        """Whether this process speaks for the job: where a launcher has started one on each of several machines, the
        first."""
        return os.getpid() == self.pid or all(os.environ.get(name, "0") == "0" for name in TASK_OF_A_JOB)

    def _take_up(self, cfg: DictConfig, before: Mapping[str, Any]) -> None:
        """Go on with a job that a cluster has put back into its queue: what it was started with is trusted."""
        folder = HydraConfig.get().runtime.output_dir
        if before.get("session") == self.session and (Path(folder) / "config.yaml").exists():
            with open_dict(cfg):
                own = {target.rpartition(".")[0] for _, target in targets(OmegaConf.to_container(cfg))}
                cfg.resume, cfg.trust = folder, sorted(own)

    def _run(self, cfg: DictConfig, name: str) -> tuple[float | None, dict[str, Any]]:
        """What the verb's task returns, and how it failed if it did."""
        own_log = "" if Path(log_file()).is_file() else Path(log_file()).name
        try:
            main = importlib.import_module(VERBS[self.verb].module).main
            check_values(cfg, self.verb)
            result: float | None = main(cfg)
            return result, {}
        except Exception as error:
            if isinstance(error, BrokenPipeError) and self.verb != "train":  # `data list | head`: nobody reads on
                silence(sys.stdout)
                return None, {}
            if (
                isinstance(error, (ConfigError, OmegaConfBaseException))
                and not name
                and (self.verb != "train" or cfg.get("resume") is None)
            ):
                take_back(own_log)
            told = self._report(error, name)
            _forget_frames(error)
            return float("nan"), told
        finally:
            if name:
                gc.collect()  # networks hang together in circles: the next job should not have to share with them

    def _report(self, error: Exception, name: str) -> dict[str, str]:
        known = isinstance(error, (GanLabError, MissingMandatoryValue, InterpolationResolutionError))
        if isinstance(error, GanLabError):
            message = str(error)
        elif isinstance(error, OmegaConfBaseException):
            message = reason(error)
        elif isinstance(error, OSError) and error.errno in HELP:
            message = of_the_system(error)
        else:
            message = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        where = log_file()
        if not where or Path(where).parent.is_dir():  # a run that never began took its folder away
            try:
                log.error(message, exc_info=error)
            except OSError:  # the log's own file cannot be opened
                where = ""
        if not known and not (isinstance(error, OSError) and error.errno in HELP):
            message += f" (traceback in {where})" if where else " (HYDRA_FULL_ERROR=1 shows the traceback)"
        lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)) if self.tracebacks else ""
        if os.getpid() == self.pid:
            self.tell(name, message, lines)
            code = getattr(error, "exit_code", ConfigError.exit_code if known else GanLabError.exit_code)
            self.code = GanLabError.exit_code if name else code
        return {"error": message, "traceback": lines}

    def tell(self, name: str, message: str, lines: str = "") -> None:
        """Say that a job (or, without a name, the run) has failed."""
        if lines:
            print(lines, file=sys.stderr, end="")
        say(self.verb, f"{name}: {message}" if name else message)
        if name:
            self.code = GanLabError.exit_code
            self.failed.append(name.removeprefix("job "))

    def summarise(self) -> int:
        """Say how many jobs of a sweep failed and which; returns the exit code."""
        if self.failed:
            say(self.verb, f"{len(self.failed)} of {self.jobs} jobs failed: {', '.join(self.failed)}")
        return self.code


def _not_noted(**about: Any) -> None:
    """Another process tells how the job stands."""


def check_values(cfg: DictConfig, verb: str) -> None:
    """Raise ConfigError where a value is missing or cannot be, or a reference leads nowhere, before torch is there."""
    from gan_lab.training.values import check_settings  # it takes NumPy along, which help pages do without

    check_complete([str(key) for key in cfg], verb)
    if not VERBS[verb].complete:  # its groups may be left open
        cfg = OmegaConf.masked_copy(cfg, sorted(own_keys(verb)))
    try:
        missing = sorted(OmegaConf.missing_keys(cfg))
        plain = OmegaConf.to_container(cfg, resolve=True) if not missing else {}
    except OmegaConfBaseException as error:
        raise ConfigError(reason_of_game(error, cfg) or reason(error)) from error
    for key in missing:
        example = VERBS[verb].example if VERBS[verb].example.startswith(f"{key}=") else f"{key}=..."
        raise ConfigError(f"{key} is missing; give it, e.g. gan-lab {verb} {example}")
    assert isinstance(plain, dict)
    check_settings({str(key): value for key, value in plain.items()})


def reason_of_game(error: OmegaConfBaseException, cfg: DictConfig) -> str:
    """What the algorithm needs, where a network asks for something that another algorithm has; else nothing."""
    asked = re.search(r"'(algorithm\.[^']*)' not found", str(error))
    target = str(OmegaConf.select(cfg, "algorithm._target_"))
    if asked is None or not str(error.full_key).startswith("model.") or not target.startswith("gan_lab."):
        return ""
    game: Any = get_class(target)
    return f"{error.full_key} asks for {asked[1]}, which this algorithm has not; {game.requirements()}"


def check_complete(keys: Collection[str], verb: str) -> None:
    """Raise ConfigError where a key was taken out that the verb, or any training, cannot do without."""
    needed = NEEDED if VERBS[verb].groups is None else ()
    for key in (*needed, *sorted(() if verb == "train" else own_keys(verb))):
        if key not in keys:
            choose = f"; choose one by {key}=NAME, gan-lab {verb} --help lists them" if key in PARTS else ""
            what = "no training" if key in needed else f"gan-lab {verb}"
            cannot = "can do without it" if key in needed else "cannot do without it"
            raise ConfigError(f"{key} is missing, {what} {cannot}: leave out ~{key}{choose}")


def own_keys(verb: str) -> set[str]:
    """The keys that a verb has beside its groups."""
    return {str(key) for key in OmegaConf.load(config.CONFIG_DIR / f"{verb}.yaml")} - {"defaults", "hydra"}


def take_back(own_log: str) -> None:
    """Remove the folder that Hydra has made for what is refused, where it holds nothing but this call's log."""
    folder = Path(HydraConfig.get().runtime.output_dir).absolute()
    if folder != Path.cwd():
        discard(folder, own_log)


def log_file() -> str:
    """The file that the log goes to, as short as it can be written; empty where there is none."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            path = Path(handler.baseFilename)
            return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return ""


def _forget_frames(error: BaseException | None) -> None:
    """Drop the local variables of a failed job: Hydra keeps its jobs until the sweep ends, and they hold networks."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
