"""From a plain configuration to a run that is ready to play: every component is built here, in the order data flows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_lab.callbacks.base import Callback
from gan_lab.config import build
from gan_lab.data.stream import Stream
from gan_lab.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.loggers.base import Loggers
from gan_lab.run import Run
from gan_lab.seeding import seed_everything


def assemble(
    config: dict[str, Any], folder: Path, state: Mapping[str, Any] | None = None, interactive: bool = False
) -> tuple[Run, list[Callback]]:
    """Build the run that `config` describes in `folder`, at the checkpoint `state` if there is one.

    What the configuration leaves open (`precision: auto`, the number of classes of a folder) is settled and written
    into `config`, so that the run goes on with the same. The data is opened before any network is built.
    """
    check_seed(config["seed"])
    store = build(config["dataset"], "dataset").open()
    if config["dataset"].get("num_classes") is None:
        config["dataset"]["num_classes"] = store.num_classes
    engine: Engine = build(config["engine"], "engine")
    config["precision"] = config["engine"]["precision"] = engine.precision
    seed_everything(config["seed"])
    trainer = build(config["trainer"], "trainer")
    networks = {role: engine.place(build_network(node, role)) for role, node in config["model"].items()}
    optimizers = build_optimizers(config["optimizer"], networks, engine)
    algorithm = build(
        config["algorithm"],
        "algorithm",
        networks=networks,
        optimizers=optimizers,
        schedule=build(config["optimizer"]["schedule"], "optimizer.schedule"),
        adversarial=build(config["loss"]["adversarial"], "loss.adversarial"),
        regularizers=build_each(config["loss"]["regularizers"], "loss.regularizers"),
        augmentation=engine.place(build(config["augmentation"], "augmentation")),
        engine=engine,
        accumulation=trainer.accumulation,
    )
    stream = Stream(
        store,
        batch_size=trainer.batch_size,
        seed=config["seed"],
        device=engine.device,
        channels_last=engine.channels_last,
    )
    loggers = Loggers(build_each(config["logger"], "logger"))
    run = Run(folder, config, engine, store, stream, algorithm, trainer, loggers, interactive)
    if state is not None:
        run.load_state_dict(state)
    return run, list(build_each(config["callbacks"], "callbacks").values())


def build_each(nodes: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    """Build every component of a mapping by name; a name set to null is left out."""
    return {name: build(node, f"{key}.{name}") for name, node in (nodes or {}).items() if node is not None}


def build_network(node: Mapping[str, Any], role: str) -> nn.Module:
    """Build one network. Raises ConfigError when the target is not a `torch.nn.Module`."""
    network = build(node, f"model.{role}")
    if not isinstance(network, nn.Module):
        raise ConfigError(f"model.{role}: {node['_target_']} made a {type(network).__name__}, not a torch.nn.Module")
    return network


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
