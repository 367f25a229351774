"""One verb under Hydra: its flags and overrides in, an exit code out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from gan_lab import config
from gan_lab.command_line import flags as flag_words
from gan_lab.command_line.choices import Choices
from gan_lab.command_line.console import say
from gan_lab.command_line.explain import explain
from gan_lab.command_line.presets import presets_give_way
from gan_lab.errors import ConfigError, GanLabError, of_the_system
from gan_lab.jobs.run_mode import run_mode_of
from gan_lab.jobs.sweeper import our_sweeper
from gan_lab.jobs.task import Task

FULL = "HYDRA_FULL_ERROR"


def launch(verb: str, flags: dict[str, str], overrides: Sequence[str]) -> int:
    """Compose the verb's config and run its task (or print what a flag asks for). Returns the exit code."""
    task = Task(verb, tracebacks=os.environ.get(FULL) == "1")
    try:
        under_hydra(task, [*flag_words.join(flags), *overrides])
    except SystemExit as stop:  # Hydra after a help page, or a run that a signal stopped
        if stop.code is None or isinstance(stop.code, int):
            code = task.summarise()
            return stop.code or code
        say(verb, str(stop.code))
        return GanLabError.exit_code
    except KeyboardInterrupt:
        say(verb, "stopped")
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if task.tracebacks:
            traceback.print_exc()
        return _refused(error, Choices(verb, flags, overrides))
    return task.summarise()


def under_hydra(task: Task, words: Sequence[str]) -> None:
    """`hydra.main` reads `sys.argv`, and raises what went wrong (instead of printing it) only when told so. A closed
    pipe or a full disk under the log must not print a traceback for every line."""
    before = sys.argv, logging.raiseExceptions, os.environ.get(FULL)
    sys.argv, logging.raiseExceptions, os.environ[FULL] = [f"gan-lab {task.verb}", *words], False, "1"
    try:
        with our_sweeper(), presets_give_way(), run_mode_of(words):
            hydra.main(version_base="1.3", config_path=str(config.CONFIG_DIR), config_name=task.verb)(task)()
    finally:
        sys.argv, logging.raiseExceptions = before[:2]
        del os.environ[FULL]
        os.environ.update({FULL: before[2]} if before[2] is not None else {})


def _refused(error: Exception, known: Choices) -> int:
    """Report what stopped Hydra before (or, with a launcher's own processes, while) the task ran."""
    code, message = GanLabError.exit_code, ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
    if isinstance(error, GanLabError):
        code, message = error.exit_code, str(error)
    elif isinstance(error, YAMLError):
        code, message = ConfigError.exit_code, " ".join(str(error).split())
    elif isinstance(error, (HydraException, OmegaConfBaseException)) or type(error) is ValueError:
        if isinstance(cause := error.__cause__, OSError):  # the log file
            message = f"{error}: {cause}"
        else:
            code, message = ConfigError.exit_code, explain(error, known)
    elif isinstance(error, OSError) and error.filename:
        message = of_the_system(error)
    say(known.verb, message)
    return code
