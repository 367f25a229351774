"""`network.pkl` of StyleGAN2-ADA and StyleGAN3 (Karras et al. 2020, arXiv:2006.06676; 2021, arXiv:2106.12423): a
dictionary of networks (`G`, `D`, `G_ema`), of which the tensors are read and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.inert_pickle import Thing, read

NETWORKS = ("G_ema", "G", "D")
OF_ROLE = {"generator": ("G_ema", "G"), "discriminator": ("D",)}
OLD = b"dnnlib.tflib.network"


class NetworkPickle:
    """The file's networks as tensors by name, and what it says of them. `D` and `G` may be missing, and one of `G_ema`
    and `G`. Raises ConfigError for a file that is not there, GanLabError for one that is none of these or does more."""

    def __init__(self, path: Path) -> None:
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
        self.path = path
        self.networks = {name: found[name] for name in NETWORKS if isinstance(found.get(name), Thing)}
        self.weights = {name: dict(tensors(network, path)) for name, network in self.networks.items()}
        self.data = found.get("training_set_kwargs")

    def of(self, role: str) -> dict[str, Tensor] | None:
        """The weights for a role of ours, those that were averaged before others."""
        return next((self.weights[name] for name in OF_ROLE.get(role, ()) if name in self.weights), None)

    def setting(self, network: str, *keys: str) -> Any:
        """An argument that a network was made with, None where it was not given."""
        value: Any = self.networks[network].state.get("_init_kwargs") if network in self.networks else None
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


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
