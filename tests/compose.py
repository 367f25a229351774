"""Composing the training configuration in a test, as the command line would, and building a tiny run from it."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from gan_lab.config import CONFIG_DIR, settings
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.conftest import TINY


def composed(*overrides: str, configs: Path | None = None) -> dict[str, Any]:
    """The resolved configuration of `gan-lab train` with these overrides; `configs` is a user's own folder of them."""
    search = () if configs is None else (f"hydra.searchpath=[file://{configs}]",)
    return copy.deepcopy(_composed((*search, *overrides)))


@functools.cache
def _composed(overrides: tuple[str, ...]) -> dict[str, Any]:
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return settings(compose("train", list(overrides)))


def tiny_run(folder: Path, *overrides: str) -> Run:
    """A run ready for its first round, at debug size."""
    return assemble(composed(*TINY, *overrides), folder)[0]


def unpaired_regularizers() -> list[str]:
    """The regularizers that a game from noise can have: those of a pair need a game that makes one."""
    folder = CONFIG_DIR / "loss" / "regularizers"
    return [name for name in choices("loss/regularizers") if "  pair: " not in (folder / f"{name}.yaml").read_text()]


def choices(group: str) -> list[str]:
    """The names in a configuration group."""
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))
