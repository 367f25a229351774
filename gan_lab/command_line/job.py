"""What Hydra runs: one verb's task, whose failure is a line on the terminal and a traceback in the log."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, MissingMandatoryValue, OmegaConfBaseException

from gan_lab.command_line.console import say, silence
from gan_lab.command_line.explain import reason
from gan_lab.command_line.verbs import VERBS
from gan_lab.errors import ConfigError, GanLabError

log = logging.getLogger("gan_lab")


class Job:
    """A Hydra task that never raises an Exception: `code` is what the command should exit with.

    In a sweep every job is one call. A job that fails is reported and returns NaN, and the others run. A launcher that
    starts jobs in other processes has its own copy of this object, so there the failure is raised for the launcher
    to carry home.
    """

    def __init__(self, verb: str, tracebacks: bool = False) -> None:
        self.verb = verb
        self.tracebacks = tracebacks
        self.pid = os.getpid()
        self.code = 0
        self.jobs = 0
        self.failed: list[str] = []

    def __call__(self, cfg: DictConfig) -> float | None:
        self.jobs += 1
        name = _job_name()
        if name:
            log.info(name)
        try:
            main = importlib.import_module(VERBS[self.verb].module).main
            if VERBS[self.verb].complete:
                check(cfg, self.verb)
            result: float | None = main(cfg)
            return result
        except Exception as error:
            if isinstance(error, BrokenPipeError) and self.verb != "train":  # `data list | head`: nobody reads on
                silence(sys.stdout)
                return None
            self._report(error, name)
            if os.getpid() != self.pid:
                raise
            _forget_frames(error)
            return float("nan")

    def _report(self, error: Exception, name: str) -> None:
        known = isinstance(error, (GanLabError, MissingMandatoryValue, InterpolationResolutionError))
        if isinstance(error, GanLabError):
            message = str(error)
        elif isinstance(error, OmegaConfBaseException):
            message = reason(error)
        else:
            message = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        where = log_file()
        if not where or Path(where).parent.is_dir():  # a run that never began took its folder away
            log.error(message, exc_info=error)
        if not known:
            message += f" (traceback in {where})" if where else " (HYDRA_FULL_ERROR=1 shows the traceback)"
        if self.tracebacks:
            traceback.print_exception(type(error), error, error.__traceback__)
        say(self.verb, f"{name}: {message}" if name else message)
        code = getattr(error, "exit_code", ConfigError.exit_code if known else GanLabError.exit_code)
        self.code = GanLabError.exit_code if name else code
        if name:
            self.failed.append(name.removeprefix("job "))

    def summarise(self) -> int:
        """Say how many jobs of a sweep failed and which; returns the exit code."""
        if self.failed:
            say(self.verb, f"{len(self.failed)} of {self.jobs} jobs failed: {', '.join(self.failed)}")
        return self.code


def check(cfg: DictConfig, verb: str) -> None:
    """Raise ConfigError where a value is missing or a reference leads nowhere, before anything is built."""
    for key in sorted(OmegaConf.missing_keys(cfg)):
        example = VERBS[verb].example if VERBS[verb].example.startswith(f"{key}=") else f"{key}=..."
        raise ConfigError(f"{key} is missing; give it, e.g. gan-lab {verb} {example}")
    try:
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(reason(error)) from error


def log_file() -> str:
    """The file that the log goes to, as short as it can be written; empty where there is none."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            path = Path(handler.baseFilename)
            return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return ""


def _job_name() -> str:
    """`job 3 (seed=4)` in a sweep, nothing in a single run."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        return ""
    return f"job {hydra.job.num} ({' '.join(hydra.overrides.task)})"


def _forget_frames(error: BaseException | None) -> None:
    """Drop the local variables of a failed job: Hydra keeps its jobs until the sweep ends, and they hold networks."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
