"""Hydra's and OmegaConf's complaints about a command line, in one or two lines that offer what was meant."""

from __future__ import annotations

import os
import re
import shlex

from hydra.errors import MissingConfigException, OverrideParseException, SearchPathException
from omegaconf.errors import (
    ConfigKeyError,
    InterpolationKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from gan_lab import config
from gan_lab.command_line.choices import Choices, dotted, is_hydra
from gan_lab.command_line.nearest import nearest, nearest_key
from gan_lab.command_line.overrides import EXTRA_GROUPS, quote, read, unquote
from gan_lab.command_line.verbs import VERBS

LAUNCHERS = {"submitit_local": "slurm", "submitit_slurm": "slurm"}  # name: our extra that has it
READERS = {".npz": "arrays", ".npy": "arrays", ".h5": "arrays", ".hdf5": "arrays", ".parquet": "parquet"}


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


def explain(error: Exception, known: Choices) -> str:
    """Why Hydra refused the command line: what is wrong, and the nearest that would be right."""
    text = str(error)
    cause = error.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(error, known)
    if isinstance(error, MissingConfigException):
        return _unknown_choice(error, known)
    if isinstance(error, SearchPathException):
        return f"--config-dir: there is no folder {known.extra}"
    if found := re.search(r"Could not (override|delete)(?: from config\.)? '([^']+)'", text):
        return _unknown_key(found[2], text, cause, known)
    if found := re.search(r"Ambiguous value for argument '(.*)'", text):
        return _several(found[1], known)
    if found := re.search(r"Sweep parameters '(.*)' requires --multirun", text):
        return f"{found[1]} is several values: add -m to run each"
    if found := re.search(r"You must specify '([^']+)'", text):
        return f"{found[1]} is missing; choose one: {_choices(found[1], known)}"
    if found := re.search(r"An item is already at '([^']+)'", text):
        return f"{found[1]} is there already; leave out the +"
    if "Config group override must be a string" in text:
        if told := next(filter(None, (_no_group(read(word).key, known) for word in known.overrides)), ""):
            return told
        of_groups = [word for word in known.overrides if read(word).key in known.groups()]
        wrong = next((word for word in of_groups if not _is_name(read(word).value)), of_groups[0] if of_groups else "")
        return f"{wrong}: a group takes the name of a choice; choose from {_choices(read(wrong).key, known)}"
    for link in (error, cause):
        if isinstance(link, OmegaConfBaseException):
            named = (
                f"{text.splitlines()[0].removeprefix('Error merging override ')}: " if link is cause and text else ""
            )
            return named + reason(link)
    return _short(text) or type(error).__name__


def _no_group(key: str, known: Choices) -> str:
    """What to type for a key that has others below it, and is a group of other verbs only; nothing for any other."""
    below = known.config(key).get(key)
    if key in known.groups() or not isinstance(below, dict):
        return ""
    return f"{key} has no choices here, but keys: {', '.join(f'{key}.{name}' for name in below)}"


def _several(word: str, known: Choices) -> str:
    """A value with commas: a list, where the key holds one or may; else values to be run each."""
    override = read(word)
    key, value = override.key, override.value or ""
    if key in EXTRA_GROUPS:  # the plus is ours
        word, override = word.lstrip("+"), override._replace(prefix="")
    as_list = shlex.quote(f"{override.prefix}{key}=[{value}]")
    if key in known.groups():
        return f"{word} is several choices: write {as_list} for all of them at once, or add -m to run each"
    present = dict(dotted(known.config(key))).get(key)
    if isinstance(present, list):
        return f"{word}: a list has brackets; write {as_list}"
    each = "add -m to run each"
    if present is None and re.fullmatch(r"[\d.,\s]+", value):
        return f"{word} is several values: write {as_list} for a list, or {each}"
    return f"{word} is several values: {each}, or quote one value: \"{key}='{value}'\""


def _is_name(value: str | None) -> bool:
    return value is not None and re.fullmatch(r"null|true|false|[\d.+-]+", unquote(value), re.IGNORECASE) is None


def _short(text: str) -> str:
    """The first two lines of a message, as one."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip() and "hydra.cc" not in line)[:300]


def _choices(group: str, known: Choices) -> str:
    return ", ".join(known.groups().get(group.partition("@")[0], [])) or "none there"


def _unreadable(error: OverrideParseException, known: Choices) -> str:
    word = error.override
    if "=" not in word and not word.startswith("~"):
        groups = [group for group, choices in known.groups().items() if word in choices]
        meant = f"; did you mean {groups[0]}={word}?" if groups else ""
        return f"{word!r} is not key=value{meant}"
    key, _, value = word.partition("=")
    if listed := re.fullmatch(r"\s*[(\[{<]?([^()\[\]{}<>=:]*,[^()\[\]{}<>=:]*)[)\]}>]?\s*", value):
        numbers = ",".join(part.strip() for part in listed[1].split(",") if part.strip())
        return f"cannot read {word!r}; a list has square brackets: write {shlex.quote(f'{key}=[{numbers}]')}"
    return f'cannot read {word!r}; a value with special characters is quoted twice: "{key}={quote(value)}"'


def _unknown_choice(error: MissingConfigException, known: Choices) -> str:
    missing = error.missing_cfg_file or ""
    group, _, choice = missing.rpartition("/")
    if not group:
        primary = [path.stem for path in config.CONFIG_DIR.glob("*.yaml")]
        return f"there is no config {choice or _short(str(error))}{nearest(choice, primary)}"
    options = sorted(error.options or known.groups().get(group, []))
    origin = re.match(r"In '([^']+)'", str(error))
    if group == "hydra/launcher" and (extra := LAUNCHERS.get(choice)):
        return f"hydra/launcher={choice} is not installed: pip install 'gan-lab[{extra}]'"
    if (path := next((word for word in known.overrides if _is_path_of_images(word)), None)) is not None:
        value = unquote(read(path).value or "")
        reader = READERS.get(os.path.splitext(value)[1].lower(), "folder")
        return f"{path} is a path, and dataset= takes a name: dataset={reader} dataset.path={value}"
    typed = any(read(word).key.partition("@")[0] == group for word in known.overrides)
    where = f"{origin[1]}.yaml: " if origin and not typed and origin[1] != known.verb else ""
    if not options:
        return f"{where}unknown {group}={choice}{nearest(group, known.groups())}"
    return f"{where}unknown {group}={choice}{nearest(choice, options)}\n  choices: {', '.join(options)}"


def _is_path_of_images(word: str) -> bool:
    override = read(word)
    value = unquote(override.value or "")
    return override.key == "dataset" and (bool({"/", os.sep, "~"} & {*value}) or bool(value and os.path.exists(value)))


def _unknown_key(key: str, text: str, cause: BaseException | None, known: Choices) -> str:
    typed = key.partition("=")[0]
    groups = [] if is_hydra(typed) else list(known.groups())
    keys = [name for name, _ in dotted(known.config(typed)) if is_hydra(name) == is_hydra(typed)]
    if isinstance(cause, OmegaConfBaseException) and cause.full_key and cause.full_key.startswith(f"{typed}."):
        key = cause.full_key  # trainer={max_step: 3}
    elif typed in groups:
        return f"{typed} is a group that this config does not use; to add it: +{typed}=..."
    if isinstance(cause, OmegaConfBaseException) and not isinstance(cause, (ConfigKeyError, AttributeError)):
        return reason(cause)
    if "Could not override" in text and (told := _no_group(key, known)):
        return told
    if key in keys and "Could not delete" in text:
        return f"{key} is null already; leave out ~{key}"
    offer = nearest_key(key, [*keys, *groups])
    may_add = VERBS[known.verb].groups is None if known.verb in VERBS else True  # what others add, nothing reads
    add = f"; to add it: +{key}=..." if may_add and not offer and "Could not override" in text else ""
    return f"unknown key {key}{offer}{add or ('' if offer else f'; gan-lab {known.verb} --help lists them')}"
