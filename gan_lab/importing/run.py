"""From a published file to the folder of a run: one that samples, and that goes on with images of the user's."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.command_line.console import already_holds, command, shown
from gan_lab.command_line.stored_overrides import is_run
from gan_lab.config import leaves, settings, to_yaml
from gan_lab.engine.seeding import seed_everything
from gan_lab.errors import GanLabError
from gan_lab.importing import stylegan2, stylegan3
from gan_lab.importing.rosinality import read_rosinality
from gan_lab.models import stylegan2_names, stylegan3_names
from gan_lab.models.stylegan2_names import Weights
from gan_lab.storage import checkpoint
from gan_lab.storage.files import write_text
from gan_lab.storage.folders import OUTPUTS
from gan_lab.storage.network_pickle import Networks, read_network_pickle
from gan_lab.training.start import compose_training
from gan_lab.wrappers.build import build_network

log = logging.getLogger(__name__)

READERS = {".pt": read_rosinality, ".pth": read_rosinality}
FOLLOWED = ("model.generator.width", "model.generator.full")  # by the discriminator's, where nothing is said of them
NOTHING: dict[str, Any] = {"images_seen": 0, "optimizers": {}, "augmentation": {}, "stream": None, "metrics": {}}


class Family(NamedTuple):
    """Networks of one kind: the model that they become, and how its settings and names are read."""

    model: str
    settings_of: Callable[[Networks], dict[str, Any]]
    generator_names: Callable[[Weights], dict[str, str]]

    def names(self, role: str, weights: Weights) -> dict[str, str]:
        of_role = {"generator": self.generator_names, "discriminator": stylegan2_names.discriminator_names}
        return of_role[role](weights)


STYLEGAN2 = Family("stylegan2_auto", stylegan2.settings_of, stylegan2_names.generator_names)
STYLEGAN3 = Family("stylegan3", stylegan3.settings_of, stylegan3_names.generator_names)


def family_of(found: Networks) -> Family:
    """StyleGAN3 where a generator starts from waves."""
    return STYLEGAN3 if "synthesis.input.freqs" in (found.of("generator") or {}) else STYLEGAN2


def import_networks(file: Path, out: Path | None) -> Path:
    """Make a run of the networks of `file` in the folder `out`, null: of the file's name, and return it.

    Everything is read, and fits, before anything is made. Raises GanLabError, in one line that names a tensor, where
    something does not fit, and ConfigError for a folder that holds a run.
    """
    folder = out or Path(OUTPUTS) / "imported" / (re.sub(r"[^A-Za-z0-9._-]+", "_", file.stem) or "network")
    if is_run(folder) or (folder / "checkpoints").exists():
        raise already_holds("out", folder, "a run")
    found = READERS.get(file.suffix.lower(), read_network_pickle)(file)
    family = family_of(found)
    config = configuration(family.settings_of(found), family.model)
    state = state_of(found, config)
    checkpoint.save(folder / "checkpoints", state, keep=1)
    write_text(folder / "config.yaml", to_yaml(config))
    write_text(folder / ".hydra" / "overrides.yaml", to_yaml(config["overrides"]))
    write_text(folder / "summary.json", json.dumps({"state": "imported", "step": 0}) + "\n")
    tell(found, config, folder)
    return folder


def configuration(found: dict[str, Any], model: str) -> dict[str, Any]:
    """What `gan-lab train` composes of these settings; the overrides that change something are remembered."""
    choices = {"model": model, "dataset": "folder"}
    overrides = [f"{group}={name}" for group, name in choices.items()]
    known = dict(leaves(settings(compose_training(overrides))))
    known |= {key.replace("generator", "discriminator"): found[key] for key in FOLLOWED}
    other = {key: value for key, value in found.items() if known[key] != value}
    overrides += [f"{key}={json.dumps(value, separators=(',', ':'))}" for key, value in other.items()]
    config = settings(compose_training(overrides))
    return {**config, "classes": None, "choices": choices, "overrides": overrides}


def state_of(found: Networks, config: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint that has weights and nothing else. Where the file has no discriminator a new one begins."""
    raw = {
        "generator": found.weights.get("G") or found.of("generator"),
        "discriminator": found.of("discriminator"),
    }
    seed_everything(config["seed"])
    networks = {role: fitted(found, config, role, weights) for role, weights in raw.items()}
    averaged = fitted(found, config, "generator", found.of("generator"))
    state = {"version": checkpoint.VERSION, "step": 0, **NOTHING, "networks": networks, "ema": {"generator": averaged}}
    return {**state, "algorithm": {"regularizers": {}, "memory": {}}, "measured": {}, "best": None, "config": config}


def fitted(found: Networks, config: dict[str, Any], role: str, weights: Any) -> dict[str, Tensor]:
    """The state of a network with these weights. It is built without memory first: a file does not decide how much is
    taken before all of its shapes are those of the network."""
    if weights is None:
        return build_network(config, role).state_dict()
    with torch.device("meta"):
        outline: Any = build_network(config, role)
    try:
        named = outline.published_names(weights)
        theirs = {ours: name for name, ours in family_of(found).names(role, weights).items()}
    except ValueError as error:
        raise GanLabError(f"{found.path}: {error}") from error
    require_fit(outline, named, theirs, f"{found.path}: {'D' if role == 'discriminator' else 'G'}")
    network: nn.Module = build_network(config, role)
    network.load_state_dict(named)
    return network.state_dict()


def require_fit(outline: nn.Module, named: dict[str, Tensor], theirs: dict[str, str], where: str) -> None:
    """Raise GanLabError, naming the first tensor of the file that is missing, left over or of another shape."""
    wanted = outline.state_dict()
    for name in [*wanted, *named]:
        if name not in named:
            raise GanLabError(f"{where} has no tensor for {name}, which its other shapes ask for")
        if name not in wanted:
            raise GanLabError(f"{where}: {theirs[name]} has no place in the network that its other shapes make")
        if wanted[name].shape != named[name].shape:
            is_, should = (list(each.shape) for each in (named[name], wanted[name]))
            raise GanLabError(f"{where}: {theirs[name]} makes {name} of {is_}, which is to be {should}")


def tell(found: Networks, config: dict[str, Any], folder: Path) -> None:
    """What was read, and what to type next."""
    model, run = config["model"]["generator"], shown(folder)
    classes = f", {model['num_classes']} classes" if model["num_classes"] else ""
    log.info(
        "read      %s: %s of %s%s",
        shown(found.path),
        ", ".join(found.weights),
        config["dataset"]["image_shape"],
        classes,
    )
    if found.of("discriminator") is None:
        log.warning("the file has no discriminator: a new one begins when the run goes on")
    log.info("run       %s", run)
    log.info("sample    %s", command("sample", f"run={run}", "truncation=0.7"))
    log.info("fine-tune %s", command("train", f"resume={run}", "dataset.path=PICTURES"))
