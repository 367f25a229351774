"""The switches of the engine and their positions, the default first. Imports no torch: they are judged before it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_lab.errors import ConfigError

SWITCHES: dict[str, tuple[object, ...]] = {
    "channels_last": ("auto", False, True),
    "capture": ("auto", "check", "off"),
    "compile": ("auto", "off", "on"),
    "tf32": ("auto", "off", "on"),
    "deterministic": (False, True),
}


def check_switches(chosen: Mapping[str, Any]) -> None:
    """Raise ConfigError for a switch of `engine` that has no such position."""
    for name, known in SWITCHES.items():
        if chosen.get(name, known[0]) not in known:
            raise ConfigError(f"engine.{name}: {chosen[name]!r} is not one of {', '.join(map(str, known)).lower()}")
