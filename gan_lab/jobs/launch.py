"""One verb under Hydra: its flags and overrides in, an exit code out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from gan_lab import config
from gan_lab.command_line import flags as flag_words
from gan_lab.command_line.choices import Choices
from gan_lab.command_line.console import say
from gan_lab.command_line.explain import explain
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.jobs.job import Job
from gan_lab.jobs.sweeper import our_sweeper

FULL = "HYDRA_FULL_ERROR"


def launch(verb: str, flags: dict[str, str], overrides: Sequence[str]) -> int:
    """Compose the verb's config and run its task (or print what a flag asks for). Returns the exit code."""
    job = Job(verb, tracebacks=os.environ.get(FULL) == "1")
    try:
        under_hydra(job, [*flag_words.join(flags), *overrides])
    except SystemExit as stop:  # Hydra after a help page, or a run that a signal stopped
        if stop.code is None or isinstance(stop.code, int):
            code = job.summarise()
            return stop.code or code
        say(verb, str(stop.code))
        return GanLabError.exit_code
    except KeyboardInterrupt:
        say(verb, "stopped")
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if job.tracebacks:
            traceback.print_exc()
        return _refused(error, Choices(verb, flags, overrides))
    return job.summarise()


def under_hydra(job: Job, words: Sequence[str]) -> None:
    """`hydra.main` reads `sys.argv`, and raises what went wrong (instead of printing it) only when told so."""
    with our_sweeper(), _arguments([f"gan-lab {job.verb}", *words]), _variable(FULL, "1"), _quiet_logging():
        hydra.main(version_base="1.3", config_path=str(config.CONFIG_DIR), config_name=job.verb)(job)()


def _refused(error: Exception, known: Choices) -> int:
    """Report what stopped Hydra before (or, with a launcher's own processes, while) the task ran."""
    if isinstance(error, GanLabError):
        say(known.verb, str(error))
        return error.exit_code
    if isinstance(error, YAMLError):
        say(known.verb, " ".join(part.strip() for part in str(error).splitlines() if part.strip()))
        return ConfigError.exit_code
    if isinstance(error, (HydraException, OmegaConfBaseException)) or type(error) is ValueError:
        cause = error.__cause__
        if isinstance(cause, OSError):  # the log file
            say(known.verb, f"{error}: {cause}")
            return GanLabError.exit_code
        say(known.verb, explain(error, known))
        return ConfigError.exit_code
    if isinstance(error, OSError) and error.filename:
        say(known.verb, f"{error.filename}: {error.strerror}")
        return GanLabError.exit_code
    say(known.verb, ": ".join([type(error).__name__, *str(error).splitlines()[:1]]))
    return GanLabError.exit_code


@contextmanager
def _arguments(words: list[str]) -> Iterator[None]:
    before, sys.argv = sys.argv, words
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """A closed pipe or a full disk under the log must not print a traceback for every line."""
    before, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = before


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
