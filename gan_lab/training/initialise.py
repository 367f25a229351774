"""Weights to begin with: those of a file, published ones or another run's, in the place of random ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.checkpoint import KEYS
from gan_lab.storage.network_pickle import read_network_pickle

log = logging.getLogger(__name__)

Weights = dict[str, Tensor]
NESTS = ("params_ema", "params", "state_dict", "model", "net", "model_state_dict", "generator")
PREFIXES = ("module.", "netG.")
SUFFIXES = (".pth", ".pt", ".bin", ".safetensors", ".pkl")


def files_of(given: Any, key: str = "initialise") -> dict[str, Path]:
    """The file for each role; one file alone is the generator's. Raises ConfigError for what is no file."""
    nodes = {} if given is None else given if isinstance(given, Mapping) else {"generator": given}
    found = {str(role): Path(str(file)).expanduser() for role, file in nodes.items() if file is not None}
    for role, file in found.items():
        where = key if not isinstance(given, Mapping) else f"{key}.{role}"
        if file.suffix not in SUFFIXES or not file.is_file():
            why = "no such file" if file.suffix in SUFFIXES else f"weights end in {', '.join(SUFFIXES)}"
            raise ConfigError(f"{where}={file}: {why}")
    return found


def initialise(networks: Mapping[str, nn.Module], given: Any) -> None:
    """Give networks the weights that `given` names for their roles. Nothing in a file is executed.

    Keys are those of the network, or of what it exports (`exported`), where it has published ones; other names for them
    are its own to know (`published_names`). Raises ConfigError or GanLabError, in one line, for a role that is not
    there, a file that cannot be read, and weights that do not fit.
    """
    for role, file in files_of(given).items():
        if role not in networks:
            raise ConfigError(f"initialise.{role}: there is no network model.{role}; it has {', '.join(networks)}")
        fit(networks[role], read_weights(file, role), f"initialise={file}", role)
        log.info("weights    model.%s begins with those of %s", role, file)


def read_weights(file: Path, role: str = "generator") -> Weights:
    """The tensors of a file by their keys, out of whatever they are nested in; of a checkpoint of ours the averaged
    network of that role. Raises GanLabError for a file that is none, ConfigError where a library is missing."""
    state: Any = READERS.get(file.suffix, _pickled)(file, role)
    if isinstance(state, Mapping) and set(state) >= KEYS:
        kept = [state[part] for part in ("ema", "networks") if isinstance(state[part], Mapping)]
        state = next((networks[role] for networks in kept if role in networks), None)
    while isinstance(state, Mapping) and (nest := next((name for name in NESTS if name in state), None)):
        state = state[nest]
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise GanLabError(f"initialise={file}: holds no weights of a network (tensors by name)")
    weights = {str(name): value for name, value in state.items()}
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def fit(network: nn.Module, weights: Weights, said: str, role: str) -> None:
    """Load weights whose names and shapes are the network's, or those of what it exports."""
    exported = getattr(network, "exported", None)
    targets: list[nn.Module] = [network, *([exported] if isinstance(exported, nn.Module) else [])]
    told = ""
    for target in targets:
        rename: Callable[[Weights], Weights] = getattr(target, "published_names", dict)
        try:
            named = rename(weights)
        except ValueError as error:  # of another kind, which no name shows
            raise ConfigError(f"{said}: {error}") from error
        told = _difference(named, target.state_dict())
        if not told:
            target.load_state_dict(named)
            return
    raise ConfigError(f"{said}: does not fit model.{role}: {told}; the model's settings must be those of the file")


def _difference(weights: Weights, wanted: Mapping[str, Tensor]) -> str:
    """The first thing in which they differ, in words; empty where they do not."""
    for name, value in wanted.items():
        if name not in weights:
            return f"the file has no {name}, but {next(iter(weights))} and so on"
        if weights[name].shape != value.shape:
            one, two = ("x".join(map(str, each.shape)) or "a number" for each in (weights[name], value))
            return f"{name} is {one} in the file and {two} in the network"
    more = next((name for name in weights if name not in wanted), None)
    return "" if more is None else f"the network has no {more}, which the file has"


def _pickled(file: Path, role: str) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        why = " ".join(str(error).split())[:120]
        raise GanLabError(f"initialise={file}: cannot be read as weights ({why}); nothing in it was run") from error


def _safetensors(file: Path, role: str) -> Weights:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ConfigError(f"initialise={file}: reading it takes safetensors: pip install safetensors") from error
    try:
        found: Weights = load_file(file)
        return found
    except Exception as error:
        why = " ".join(str(error).split())[:120]
        raise GanLabError(f"initialise={file}: cannot be read as weights ({why})") from error


def _network_pickle(file: Path, role: str) -> Weights | None:
    return read_network_pickle(file).of(role)


READERS: dict[str, Callable[[Path, str], Any]] = {".safetensors": _safetensors, ".pkl": _network_pickle}
