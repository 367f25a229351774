"""Hydra's and OmegaConf's complaints about a command line, in one or two lines that offer what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException, SearchPathException
from omegaconf import OmegaConf
from omegaconf.errors import (
    ConfigKeyError,
    InterpolationKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from gan_lab import config
from gan_lab.command_line.nearest import nearest, nearest_key
from gan_lab.command_line.overrides import quote, read


class CommandLine:
    """What was typed, and what could have been: the places where configs lie, their groups, the composed keys."""

    def __init__(self, verb: str, flags: dict[str, str], overrides: Sequence[str]) -> None:
        self.verb = verb
        self.overrides = overrides
        self.extra = Path(flags["--config-dir"]).absolute() if "--config-dir" in flags else None

    def groups(self) -> dict[str, list[str]]:
        """Every config group with its choices, our own plumbing (`hydra/`) left out."""
        found: dict[str, set[str]] = {}
        for root in filter(None, (config.CONFIG_DIR, self.extra)):
            for path in root.rglob("*.yaml"):
                group = path.parent.relative_to(root).as_posix()
                if group != "." and not group.startswith("hydra"):
                    found.setdefault(group, set()).add(path.stem)
        return {group: sorted(names) for group, names in found.items()}

    def keys(self, without: str) -> set[str]:
        """Every dotted key of the config, composed from all that was typed but the override of `without`.

        Where that does not compose either (a second mistake, a sweep), the plain config's.
        """
        from hydra import compose, initialize_config_dir

        rest = [word for word in self.overrides if read(word).key != without]
        search = [f"hydra.searchpath=[{quote(f'file://{self.extra}')}]"] if self.extra else []
        with initialize_config_dir(str(config.CONFIG_DIR), version_base="1.3"):
            for overrides in ([*search, *rest], []):
                try:
                    cfg = compose(self.verb, overrides, return_hydra_config=True)
                except (HydraException, OmegaConfBaseException, ValueError):
                    continue
                return {key for key in _keys(OmegaConf.to_container(cfg)) if _is_hydra(key) == _is_hydra(without)}
        return set()


def _is_hydra(key: str) -> bool:
    return key.startswith("hydra")


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")


def reason(error: OmegaConfBaseException) -> str:
    """OmegaConf's complaint in one line, with the key that it is about."""
    first = next(iter(str(error.msg or error).splitlines()), type(error).__name__)
    key = error.full_key
    if isinstance(error, MissingMandatoryValue):
        return f"{key or first} is missing; give {key}=..." if key else first
    if isinstance(error, InterpolationKeyError) and (named := re.search(r"'([^']*)' not found", first)):
        return f"{key} refers to ${{{named[1]}}}, which does not exist"
    if isinstance(error, InterpolationResolutionError):
        return f"{key}: {first}"
    return f"{key}: {first}" if key and key not in first else first


def explain(error: Exception, line: CommandLine) -> str:
    """Why Hydra refused the command line: what is wrong, and the nearest that would be right."""
    text = str(error)
    cause = error.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(error, line)
    if isinstance(error, MissingConfigException):
        return _unknown_choice(error, line)
    if isinstance(error, SearchPathException):
        return f"--config-dir: there is no folder {line.extra}"
    if found := re.search(r"Could not (override|delete)(?: from config\.)? '([^']+)'", text):
        return _unknown_key(found[2], text, cause, line)
    if found := re.search(r"Ambiguous value for argument '(.*)'", text):
        key, _, value = found[1].partition("=")
        return f"{found[1]} is several values: add -m to run each, or quote one value: \"{key}='{value}'\""
    if found := re.search(r"Sweep parameters '(.*)' requires --multirun", text):
        return f"{found[1]} is several values: add -m to run each"
    if found := re.search(r"You must specify '([^']+)'", text):
        return f"{found[1]} is missing; choose one: {_choices(found[1], line)}"
    if "Config group override must be a string" in text:
        wrong = next((word for word in line.overrides if read(word).key in line.groups()), "")
        return f"{wrong}: a group takes the name of a choice; choose from {_choices(read(wrong).key, line)}"
    for link in (error, cause):
        if isinstance(link, OmegaConfBaseException):
            named = f"{text.splitlines()[0].removeprefix('Error merging override ')}: " if link is cause and text else ""
            return named + reason(link)
    return _short(text) or type(error).__name__


def _short(text: str) -> str:
    """The first two lines of a message, as one."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip() and "hydra.cc" not in line)[:300]


def _choices(group: str, line: CommandLine) -> str:
    return ", ".join(line.groups().get(group.partition("@")[0], [])) or "none there"


def _unreadable(error: OverrideParseException, line: CommandLine) -> str:
    word = error.override
    if "=" not in word and not word.startswith("~"):
        groups = [group for group, choices in line.groups().items() if word in choices]
        meant = f"; did you mean {groups[0]}={word}?" if groups else ""
        return f"{word!r} is not key=value{meant}"
    key, _, value = word.partition("=")
    return f"cannot read {word!r}; a value with special characters is quoted twice: \"{key}={quote(value)}\""


def _unknown_choice(error: MissingConfigException, line: CommandLine) -> str:
    missing = error.missing_cfg_file or ""
    group, _, choice = missing.rpartition("/")
    if not group:
        primary = [path.stem for path in config.CONFIG_DIR.glob("*.yaml")]
        return f"there is no config {choice or _short(str(error))}{nearest(choice, primary)}"
    options = sorted(error.options or line.groups().get(group, []))
    origin = re.match(r"In '([^']+)'", str(error))
    where = f"{origin[1]}.yaml: " if origin and origin[1] != line.verb else ""
    if not options:
        return f"{where}unknown {group}={choice}{nearest(group, line.groups())}"
    return f"{where}unknown {group}={choice}{nearest(choice, options)}\n  choices: {', '.join(options)}"


def _unknown_key(key: str, text: str, cause: BaseException | None, line: CommandLine) -> str:
    typed = key.partition("=")[0]
    known = line.keys(typed) | (set() if _is_hydra(typed) else set(line.groups()))
    if isinstance(cause, OmegaConfBaseException) and cause.full_key and cause.full_key.startswith(f"{typed}."):
        key = cause.full_key  # trainer={max_step: 3}
    if isinstance(cause, OmegaConfBaseException) and not isinstance(cause, (ConfigKeyError, AttributeError)):
        return reason(cause)
    if key in known or typed in line.groups():
        return f"{_short(text)}"
    offer = nearest_key(key, known)
    add = f"; to add it: +{key}=..." if not offer and "Could not override" in text else ""
    return f"unknown key {key}{offer}{add or ('' if offer else f'; gan-lab {line.verb} --help lists them')}"
