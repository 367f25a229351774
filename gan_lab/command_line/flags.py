"""Flags may stand anywhere between the overrides; Hydra's parser wants them first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from gan_lab.command_line.nearest import nearest
from gan_lab.errors import ConfigError


class Flag(NamedTuple):
    """A flag and what may follow it: nothing, a value, or (where `default` is given) perhaps a value."""

    name: str
    short: str = ""
    takes_value: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""


SHELLS = ("bash", "zsh", "fish")
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
OWN = (Flag("--version"), Flag("--install-completion", takes_value=True, choices=SHELLS, default="guess"))
HYDRA = (
    Flag("--help", "-h"),
    Flag("--hydra-help"),
    Flag("--run", "-r"),
    Flag("--multirun", "-m"),
    Flag("--cfg", "-c", takes_value=True, choices=("job", "hydra", "all")),
    Flag("--resolve"),
    Flag("--package", "-p", takes_value=True),
    Flag("--info", "-i", takes_value=True, choices=INFO, default="all"),
    Flag("--config-dir", "-cd", takes_value=True),
    Flag("--config-path", "-cp", takes_value=True),
    Flag("--config-name", "-cn", takes_value=True),
)
BY_NAME = {name: flag for flag in (*OWN, *HYDRA) for name in (flag.name, flag.short) if name}


def split(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Part flags from the rest, in order: `({long name: value, "" where it takes none}, other words)`.

    Raises ConfigError for an unknown flag, a missing value, or a value that is not among the flag's choices.
    """
    flags: dict[str, str] = {}
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            others += rest
            break
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        name, has_value, value = word.partition("=")
        if name not in BY_NAME:
            raise ConfigError(f"there is no flag {name}{_meant(name, value if has_value else None, rest)}")
        flag = BY_NAME[name]
        flags[flag.name] = _checked(flag, value) if has_value else _value(flag, rest)
    return flags, others


def _meant(name: str, value: str | None, rest: Sequence[str]) -> str:
    """A flag that is spelt nearly so, or the key that was typed as other programs take their settings."""
    key = name.lstrip("-").replace("-", "_")
    if near := nearest(name, [flag for flag in BY_NAME if len(flag) > 3], likeness=0.75):
        return near
    if value is None:  # --seed 3; a word with an equals sign is the next override
        value = rest[0] if rest and not rest[0].startswith("-") and "=" not in rest[0] else "..."
    return f"; settings have no dashes: write {shlex.quote(f'{key}={value}') if value != '...' else f'{key}=...'}"


def _value(flag: Flag, rest: list[str]) -> str:
    """Take the flag's value off the words behind it."""
    if not flag.takes_value:
        return ""
    if flag.default:
        return rest.pop(0) if rest and rest[0] in flag.choices else flag.default
    if not rest:
        raise ConfigError(f"{flag.name} needs a value" + (f": {', '.join(flag.choices)}" if flag.choices else ""))
    return _checked(flag, rest.pop(0))


def _checked(flag: Flag, value: str) -> str:
    if not flag.takes_value:
        raise ConfigError(f"{flag.name} takes no value")
    if flag.choices and value not in flag.choices:
        raise ConfigError(f"{flag.name} {value}: choose from {', '.join(flag.choices)}{nearest(value, flag.choices)}")
    return value


def join(flags: dict[str, str]) -> list[str]:
    """The words of `flags` again, each value tied to its flag."""
    return [f"{name}={value}" if value else name for name, value in flags.items()]
