"""Composing the training configuration in a test, as the command line would, and building a tiny run from it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir

from gan_lab.command_line.presets import presets_give_way
from gan_lab.config import CONFIG_DIR, settings
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.conftest import TINY


def composed(*overrides: str, configs: Path | None = None) -> dict[str, Any]:
    """The resolved configuration of `gan-lab train` with these overrides; `configs` is a user's own folder of them."""
    search = () if configs is None else (f"hydra.searchpath=[file://{configs}]",)
    return copy.deepcopy(_composed((*search, *with_inputs(overrides))))


SMALL = "dataset.image_shape=[3,16,16]"
IN_COLOUR = ("colorization",)  # models of images that are not gray, as the digits are


def with_inputs(overrides: Sequence[str]) -> Sequence[str]:
    """The same, and where they take a model of ours that makes images from images, and nothing that says what from, a
    degradation: the digits have no inputs. Nor have they captions: for a model that reads them, other data."""
    group, _, name = next((word for word in overrides if word.startswith("model=")), "").partition("=")
    said = any(word.startswith(("degradation=", "dataset=", "experiment=")) for word in overrides)
    if name in IN_COLOUR and not any(word.startswith("dataset=") for word in overrides):
        return ["dataset=stacked_digits", *overrides]
    if name in models_from_captions() and not any(word.startswith(("dataset=", "experiment=")) for word in overrides):
        return ["dataset=coloured_shapes", "dataset.source.count=60", "dataset.source.size=16", SMALL, *overrides]
    if said or not group or name not in models_from_images() or "/degradation" in yaml_of(f"model/{name}"):
        return overrides
    return [*overrides, "degradation=blur"]


@functools.cache
def variants() -> dict[str, str]:
    """The models that are another model's networks with other numbers, and that model."""
    defaults = {name: yaml.safe_load(yaml_of(f"model/{name}"))["defaults"] for name in choices("model")}
    return {
        name: each
        for name, entries in defaults.items()
        for each in entries
        if isinstance(each, str) and each in defaults
    }


@functools.cache
def models_from_images() -> list[str]:
    """The models that make images from images."""
    marks = ("input_shape:", "/algorithm: style_transfer")
    return [name for name in choices("model") if any(mark in yaml_of(f"model/{name}") for mark in marks)]


@functools.cache
def models_from_captions() -> list[str]:
    """The models that make images from captions."""
    return [name for name in choices("model") if "${text_encoder}" in yaml_of(f"model/{name}")]


def yaml_of(choice: str) -> str:
    """The text of the file of `group/choice`."""
    return (CONFIG_DIR / f"{choice}.yaml").read_text()


@functools.cache
def _composed(overrides: tuple[str, ...]) -> dict[str, Any]:
    with presets_give_way(), initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        return settings(compose("train", list(overrides)))


def tiny_run(folder: Path, *overrides: str) -> Run:
    """A run ready for its first round, at debug size."""
    return assemble(composed(*TINY, *overrides), folder)[0]


def unpaired_regularizers() -> list[str]:
    """The regularizers that a game from noise can have: those of a pair need a game that makes one."""
    return [name for name in choices("loss/regularizers") if "  pair: " not in yaml_of(f"loss/regularizers/{name}")]


def choices(group: str) -> list[str]:
    """The names in a configuration group."""
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))
