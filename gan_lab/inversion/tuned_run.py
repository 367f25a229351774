"""A run out of a run and a generator that was tuned."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from gan_lab.config import to_yaml
from gan_lab.errors import ConfigError
from gan_lab.sampling.trained import Trained
from gan_lab.storage import checkpoint
from gan_lab.storage.files import write_json, write_text


def require_one_generator(trained: Trained) -> None:
    """Raise ConfigError for a game of several generators."""
    if "generator" not in trained.config["model"]:
        raise ConfigError("tune: this run has a generator for each level; one alone can be tuned")


def write_run(trained: Trained, generator: nn.Module, folder: Path) -> Path:
    """A folder that samples, edits and projects as the run of `trained` does, by this generator; all else of its
    checkpoint is as it was."""
    state = checkpoint.load(trained.path)
    weights = {name: value.detach().cpu() for name, value in generator.state_dict().items()}
    state["networks"]["generator"] = state["ema"]["generator"] = weights
    checkpoint.save(folder / "checkpoints", state, keep=1)
    write_text(folder / "config.yaml", to_yaml(state["config"]))
    write_text(folder / ".hydra" / "overrides.yaml", to_yaml(list(state["config"].get("overrides") or [])))
    write_json(folder / "summary.json", {"state": "tuned", "step": state["step"]})
    return folder
