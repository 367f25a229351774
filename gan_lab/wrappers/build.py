"""Building a component inside what a configuration wraps around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from gan_lab.config import build
from gan_lab.errors import ConfigError

log = logging.getLogger(__name__)


def build_network(config: Mapping[str, Any], role: str, parts: dict[str, Any] | None = None) -> nn.Module:
    """Build one network with what the configuration wraps around it. Where the data has attributes and it takes labels,
    its `attributes` are their names, each with the share of the data that has it.

    Raises ConfigError when the target is not a `torch.nn.Module`, and when it would read attributes as classes.
    """
    network = build_wrapped(config["model"][role], f"model.{role}", wrappers_of(config, role), parts)
    if not isinstance(network, nn.Module):
        target = config["model"][role]["_target_"]
        raise ConfigError(f"model.{role}: {target} made a {type(network).__name__}, not a torch.nn.Module")
    if config.get("attributes") and getattr(network, "num_classes", 0):
        _check_reads_attributes(network, f"model.{role} ({config['model'][role]['_target_']})")
        network.attributes = dict(config["attributes"])  # type: ignore[assignment]
    return network


def _check_reads_attributes(network: nn.Module, key: str) -> None:
    for module in network.modules():
        if type(module) is nn.Embedding and module.num_embeddings == getattr(network, "num_classes", 0):
            raise ConfigError(
                f"{key}: its nn.Embedding takes classes, and this data has attributes; a "
                "gan_lab.layers.labels.LabelTable in its place takes both, dataset.labels=none does without"
            )


def build_wrapped(node: Mapping[str, Any], key: str, wrappers: Mapping[str, Any], parts: dict[str, Any] | None) -> Any:
    """Build `node` inside its wrappers, the first named innermost.

    A wrapper is called with a factory: `build(**changes)` makes what is inside, with other arguments where it must be
    different (more channels), and as often as there must be several.
    """
    remembered = {} if parts is None else parts

    def innermost(**changes: Any) -> Any:
        unknown = [name for name in changes if name not in node]
        if unknown:
            raise ConfigError(f"{key} ({node['_target_']}): has no {', '.join(unknown)}, which a wrapper must change")
        remembered[key] = build({**node, **changes}, key)
        return remembered[key]

    factory = innermost
    for name, wrapper in wrappers.items():
        if wrapper is not None:
            factory = _around(factory, wrapper, f"wrappers.{key.rpartition('.')[2]}.{name}", remembered)
    return factory()


def _around(inner: Callable[..., Any], node: Mapping[str, Any], key: str, parts: dict[str, Any]) -> Callable[..., Any]:
    def factory(**changes: Any) -> Any:
        own = {name: value for name, value in changes.items() if name in node}  # what is around changes this one too
        try:
            parts[key] = build({**node, **own}, key)(lambda **more: inner(**{**changes, **more}))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{key} ({node['_target_']}): {error}") from error
        return parts[key]

    return factory


def warn_of_idle(config: Mapping[str, Any]) -> None:
    """Say which wrappers have nothing to be put around: a discriminator's technique where there is none."""
    known = {"adversarial", *config["model"], *(role.partition("_")[0] for role in config["model"])}
    for what, around in (config.get("wrappers") or {}).items():
        names = [name for name, node in (around or {}).items() if node is not None]
        if names and what not in known:
            log.warning("wrappers.%s: this game has no %s, so %s does nothing", what, what, ", ".join(names))


def wrappers_of(config: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """What a configuration puts around a network, or around the adversarial loss: around all networks of its kind, and
    then around this one."""
    wrappers = config.get("wrappers") or {}
    kind = what.partition("_")[0]
    return {**(wrappers.get(kind) or {}), **(wrappers.get(what) or {})}
