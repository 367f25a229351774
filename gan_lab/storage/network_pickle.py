"""`network.pkl` of StyleGAN2-ADA and StyleGAN3 (Karras et al. 2020, arXiv:2006.06676; 2021, arXiv:2106.12423): a
dictionary of networks (`G`, `D`, `G_ema`), of which the tensors are read and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.inert_pickle import Thing, read

NETWORKS = ("G_ema", "G", "D")
OF_ROLE = {"generator": ("G_ema", "G"), "discriminator": ("D",)}
OLD = b"dnnlib.tflib.network"


class Networks:
    """The networks of a file as tensors by name, under the names `G_ema`, `G` and `D`, of which some may be missing,
    and the arguments that they were made with, where the file tells them."""

    def __init__(
        self,
        path: Path,
        weights: Mapping[str, dict[str, Tensor]],
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.weights = weights
        self.arguments = arguments or {}

    def of(self, role: str) -> dict[str, Tensor] | None:
        """The weights for a role of ours, those that were averaged before others."""
        return next((self.weights[name] for name in OF_ROLE.get(role, ()) if name in self.weights), None)

    def argument(self, network: str, *keys: str) -> Any:
        """An argument that a network was made with, None where it was not given."""
        value = self.arguments.get(network)
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def read_network_pickle(path: Path) -> Networks:
    """What the file holds. Raises ConfigError for a file that is not there, GanLabError for one that is none of these
    or does more."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from error
    if OLD in data[:1000]:
        raise GanLabError(
            f"{path}: was written by the authors' TensorFlow code; their legacy.py makes one of PyTorch's"
        )
    found = read(data, path)
    if not isinstance(found, dict) or not any(isinstance(found.get(name), Thing) for name in NETWORKS[:2]):
        raise GanLabError(f"{path}: holds no G_ema, the generator of a network.pkl of StyleGAN2-ADA or StyleGAN3")
    networks = {name: found[name] for name in NETWORKS if isinstance(found.get(name), Thing)}
    weights = {name: dict(tensors(network, path)) for name, network in networks.items()}
    return Networks(path, weights, {name: network.state.get("_init_kwargs") for name, network in networks.items()})


def tensors(network: Thing, path: Path) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer of a network by its dotted name. Raises GanLabError for modules that are none."""
    waiting, seen = [("", network)], set[int]()
    while waiting:
        prefix, module = waiting.pop()
        parts = [module.state.get(key) for key in ("_parameters", "_buffers", "_modules")]
        if id(module) in seen or not all(isinstance(part, dict) for part in parts):
            raise GanLabError(f"{path}: {prefix or 'a network'} is not a tree of modules; nothing in it was run")
        seen.add(id(module))
        for name, value in [*parts[0].items(), *parts[1].items()]:  # type: ignore[union-attr]
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value
        for name, value in parts[2].items():  # type: ignore[union-attr]
            if isinstance(value, Thing) and value.kind == "network":
                waiting.append((f"{prefix}{name}.", value))
