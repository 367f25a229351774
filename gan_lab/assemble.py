"""From a plain configuration to a run that is ready to play: every component is built here, in the order data flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_lab.algorithms.base import Algorithm
from gan_lab.background import Writer
from gan_lab.callbacks.base import Callback
from gan_lab.config import build
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.fitting import settle as settle_pieces
from gan_lab.loggers.base import Loggers
from gan_lab.rounds import Rounds
from gan_lab.run import Run
from gan_lab.scheduling import bind
from gan_lab.seeding import seed_everything
from gan_lab.shortage import told_while_building
from gan_lab.trainer import Trainer


@told_while_building
def assemble(
    config: dict[str, Any], folder: Path, state: Mapping[str, Any] | None = None, interactive: bool = False
) -> tuple[Run, list[Callback]]:
    """Build the run that `config` describes in `folder`, at the checkpoint `state` if there is one.

    What the configuration leaves open (`precision: auto`, the classes and channels of a folder) is settled and written
    into `config`, so that the run goes on with the same. The data is opened before any network is built.
    """
    check_seed(config["seed"])
    settle_pieces(config, lambda trial: assemble(trial, folder)[0])
    store = build(config["dataset"], "dataset").open()
    settle(config, store)
    engine: Engine = build(config["engine"], "engine")
    config["precision"] = config["engine"]["precision"] = engine.precision
    seed_everything(config["seed"])
    trainer: Trainer = build(config["trainer"], "trainer")
    parts: dict[str, Any] = {}  # what was built, by its key: what a schedule may reach
    networks = {role: engine.place(build_network(config, role, parts)) for role in config["model"]}
    optimizers = build_optimizers(config["optimizer"], networks, engine)
    parts |= {f"optimizer.{role}": optimizer for role, optimizer in optimizers.items()}
    algorithm = build_algorithm(config, networks, optimizers, engine, trainer, parts)
    stream = Stream(
        store,
        batch_size=trainer.batch_size,
        seed=config["seed"],
        device=engine.device,
        channels_last=engine.channels_last,
        flip=bool(config["dataset"].get("flip", False)),
    )
    writer = Writer()
    loggers = Loggers(build_each(config["logger"], "logger"), writer)
    rounds = Rounds(algorithm, stream, engine.graphs())
    run = Run(folder, config, engine, store, stream, algorithm, rounds, trainer, loggers, writer, interactive)
    if state is not None:
        run.load_state_dict(state)
    return run, list(build_each(config["callbacks"], "callbacks").values())


def build_algorithm(
    config: Mapping[str, Any],
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    engine: Engine,
    trainer: Trainer,
    parts: dict[str, Any],
) -> Algorithm:
    """Build the game: its losses, its augmentation, and the schedules that move any of `parts`."""
    loss, augmentation = config["loss"], engine.place(build(config["augmentation"], "augmentation"))
    algorithm: Algorithm = build(
        config["algorithm"],
        "algorithm",
        networks=networks,
        optimizers=optimizers,
        schedule=build(config["optimizer"]["schedule"], "optimizer.schedule"),
        adversarial=build_wrapped(loss["adversarial"], "loss.adversarial", _wrappers(config, "adversarial"), parts),
        regularizers=build_each(loss["regularizers"], "loss.regularizers", parts),
        constraints=build_each(loss.get("constraints"), "loss.constraints", parts),
        augmentation=augmentation,
        engine=engine,
        accumulation=trainer.accumulation,
    )
    algorithm.compile()
    parts |= {"algorithm": algorithm, "algorithm.ema": algorithm.averages, "augmentation": augmentation}
    for name, ramp in build_each(config.get("schedules"), "schedules").items():
        algorithm.settings += bind(name, ramp, parts, algorithm)
    return algorithm


def settle(config: dict[str, Any], store: Store) -> None:
    """Write into `config` what it leaves to the data: the number of classes and the shape of the images."""
    config["classes"] = store.classes
    if config["dataset"].get("num_classes") is None:
        config["dataset"]["num_classes"] = store.num_classes
    for part in ("model", "wrappers", "augmentation", "loss"):
        _settle(config.get(part), store)


def _settle(node: Any, store: Store) -> None:
    if isinstance(node, list):
        for value in node:
            _settle(value, store)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "num_classes" and value is None:
                node[key] = store.num_classes or 0
            elif key == "image_shape" and not isinstance(value[0], int):
                node[key] = list(store.shape)
            else:
                _settle(value, store)


def build_each(nodes: Mapping[str, Any] | None, key: str, parts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build every component of a mapping by name; a name set to null is left out. `parts` remembers them by key."""
    built = {name: build(node, f"{key}.{name}") for name, node in (nodes or {}).items() if node is not None}
    if parts is not None:
        parts |= {f"{key}.{name}": component for name, component in built.items()}
    return built


def build_network(config: Mapping[str, Any], role: str, parts: dict[str, Any] | None = None) -> nn.Module:
    """Build one network with what the configuration wraps around it.

    Raises ConfigError when the target is not a `torch.nn.Module`.
    """
    network = build_wrapped(config["model"][role], f"model.{role}", _wrappers(config, role), parts)
    if not isinstance(network, nn.Module):
        target = config["model"][role]["_target_"]
        raise ConfigError(f"model.{role}: {target} made a {type(network).__name__}, not a torch.nn.Module")
    return network


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


def _wrappers(config: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    return (config.get("wrappers") or {}).get(what) or {}


def build_optimizers(
    nodes: Mapping[str, Any], networks: Mapping[str, nn.Module], engine: Engine
) -> dict[str, torch.optim.Optimizer]:
    """One optimizer for every network that the configuration has one for."""
    optimizers = {}
    for role, network in networks.items():
        if role in nodes:
            factory = build(nodes[role], f"optimizer.{role}")
            try:
                optimizers[role] = engine.optimizer(factory, network)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"optimizer.{role}: {error}") from error
    return optimizers


def check_seed(seed: Any) -> None:
    """Raise ConfigError unless `seed` is a whole number that every generator takes."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed: {seed!r} is not a whole number from 0 to {2**32 - 1}")
