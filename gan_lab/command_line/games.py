"""Which of our models play which game."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from gan_lab import config

USUAL = "noise_to_image"  # where a model chooses none
MOST = 6  # models that are named


def models_for(target: str) -> str:
    """How to choose a model whose game is of the class `target`: `model=cut, fastcut`; empty where none of ours is."""
    games = {path.stem for path in _files("algorithm") if f"_target_: {target}\n" in path.read_text()}
    found = [path.stem for path in _files("model") if _game_of(path) in games]
    named = [*found[: MOST - 1], "..."] if len(found) > MOST else found
    return f"model={', '.join(named)}" if named else ""


def _files(group: str) -> Iterator[Path]:
    yield from sorted((config.CONFIG_DIR / group).glob("*.yaml"))


def _game_of(path: Path) -> str:
    """The algorithm that a model chooses, or that which it is a variant of."""
    for entry in yaml.safe_load(path.read_text()).get("defaults") or []:
        if isinstance(entry, dict) and "override /algorithm" in entry:
            return str(entry["override /algorithm"])
        if isinstance(entry, str) and entry != "_self_":
            return _game_of(path.with_stem(entry))
    return USUAL
