"""From a plain configuration to a run that is ready to play: every component is built here, in the order data flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.game import Game, kind_of
from gan_lab.config import REFUSALS, build, build_each, require_seed, require_whole, targets
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.moved import of_run
from gan_lab.degradations.base import Degradation
from gan_lab.engine.engine import Engine
from gan_lab.engine.seeding import seed_everything
from gan_lab.errors import ConfigError
from gan_lab.loggers.base import Loggers
from gan_lab.losses.regularizers import Regularizer
from gan_lab.storage.writer import Writer
from gan_lab.training.callback import Callback
from gan_lab.training.initialise import files_of, initialise
from gan_lab.training.memory.batch_size import choose_batch_size, give_back
from gan_lab.training.memory.shortage import explain_shortage_while_building
from gan_lab.training.plan import Plan
from gan_lab.training.rounds import Rounds
from gan_lab.training.run import Run
from gan_lab.training.say_once import say_once
from gan_lab.training.schedule_binding import bind
from gan_lab.training.time_limit import TimeLimit
from gan_lab.wrappers.build import build_network, build_wrapped, warn_of_idle, wrappers_of


@say_once()
@explain_shortage_while_building
def assemble(
    config: dict[str, Any], folder: Path, state: Mapping[str, Any] | None = None, interactive: bool = False
) -> tuple[Run, list[Callback]]:
    """Build the run that `config` describes in `folder`, at the checkpoint `state` if there is one.

    What the configuration leaves open (`precision: auto`, the classes and channels of a folder) is settled and written
    into `config`, so that the run goes on with the same. The data is opened before any network is built; that of a
    checkpoint is found by its checksum where its images have gone. What is said of it is said once, however often
    `batch_size=auto` has it built.
    """
    require_seed(config["seed"])
    if state is None:
        files_of(config.get("initialise"))  # before an hour of packing
    if torch.cuda.is_initialized():
        give_back(None)  # of an earlier run of this process: how much is free decides where the data lies
    choose_batch_size(config, lambda trial: assemble(trial, folder)[0])
    dataset = build_dataset(of_run(config["dataset"], None if state is None else state["stream"], {}))
    degradation = build(config["degradation"], "degradation") if config.get("degradation") else None
    fill_from_data(config, dataset, degradation)
    engine: Engine = build(config["engine"], "engine")
    config["precision"] = config["engine"]["precision"] = engine.precision
    seed_everything(config["seed"])
    plan: Plan = build(config["trainer"], "trainer")
    parts: dict[str, Any] = {}  # what was built, by its key: what a schedule may reach
    warn_of_idle(config)
    networks = {role: engine.place(build_network(config, role, parts)) for role in config["model"]}
    if state is None:
        initialise(networks, config.get("initialise"))
    optimizers = build_optimizers(config["optimizer"], networks, engine)
    parts |= {f"optimizer.{role}": optimizer for role, optimizer in optimizers.items()}
    algorithm = build_algorithm(config, networks, optimizers, engine, plan, parts)
    stream = dataset.stream(engine, plan.batch_size, config["seed"], degradation, pieces=plan.accumulation)
    writer = Writer()
    writes = engine.world.is_main  # who watches and writes is where the first process is
    loggers = Loggers(build_each(config.get("logger"), "logger") if writes else {}, writer)
    check = engine.checks_replays or is_foreign(config)
    rounds = Rounds(algorithm, stream, engine.graphs(optimizers), config["seed"], check)
    run = Run(folder, config, engine, dataset.store, stream, algorithm, rounds, plan, loggers, writer, interactive)
    if state is not None:
        run.load_state_dict(state)
    for module in (*networks.values(), *(average.module for average in algorithm.averages.values())):
        engine.world.broadcast((*module.parameters(), *module.buffers()))
    return run, [*time_limits(plan), *build_each(config.get("callbacks"), "callbacks").values()] if writes else []


def time_limits(plan: Plan) -> list[Callback]:
    """Who ends a run by the clock, before all others hear of a step. It is the plan's: a run that was begun without one
    may go on with one."""
    return [] if plan.max_minutes is None else [TimeLimit(plan.max_minutes)]


def build_algorithm(
    config: Mapping[str, Any],
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    engine: Engine,
    plan: Plan,
    parts: dict[str, Any],
) -> Algorithm:
    """Build the game: its losses, its augmentation, and the schedules that move any of `parts`."""
    loss, augmentation = config["loss"], engine.place(build(config["augmentation"], "augmentation"))
    settings = {key: value for key, value in config["algorithm"].items() if key != "standing_statistics"}  # sampling's
    game = Game(
        networks=networks,
        optimizers=optimizers,
        engine=engine,
        adversarial=build_wrapped(loss["adversarial"], "loss.adversarial", wrappers_of(config, "adversarial"), parts),
        augmentation=augmentation,
        ema=build(settings.pop("ema"), "algorithm.ema"),
        schedule=build(config["optimizer"]["schedule"], "optimizer.schedule"),
        regularizers=build_regularizers(loss["regularizers"], parts),
        constraints=build_each(loss.get("constraints"), "loss.constraints", parts),
        accumulation=plan.accumulation,
        adversarial_from=require_whole(loss.get("adversarial_from", 0), "loss.adversarial_from", 0),
    )
    for name, regularizer in game.regularizers.items():
        regularizer.place(engine.place)
        write_choices(loss["regularizers"][name], regularizer.chosen())
    algorithm: Algorithm = build(settings, "algorithm", game=game)
    algorithm.compile()
    parts |= {"algorithm": algorithm, "algorithm.ema": algorithm.averages, "augmentation": augmentation}
    algorithm.settings += bind(config, parts, algorithm)
    return algorithm


def fill_from_data(config: dict[str, Any], dataset: Dataset, degradation: Degradation | None = None) -> None:
    """Write into `config` what it leaves to the data: the classes or the attributes, the words of its captions, the
    `shapes` of what a batch has, and in the parts that see one how many classes there are and the shapes of image and
    input. Who was told the shape that images are packed to is told what a batch has of it, where that is less, and who
    was told how many classes the data has, how many of them were chosen.

    Raises ConfigError where a part asks for the shape of inputs, and there are none.
    """
    store = dataset.store
    config["classes"] = store.classes
    if store.attribute_shares is not None:
        config["attributes"] = store.attribute_shares
    told = config["dataset"].get("num_classes")
    if told is None or dataset.selection.classes is not None:
        config["dataset"]["num_classes"] = store.num_classes
    if store.words is not None:
        config["words"] = store.words
    image, input = dataset.batch_shapes(degradation)
    config["shapes"] = {"image": list(image), "input": None if input is None else list(input)}
    known = {
        "num_classes": store.num_classes or len(store.attributes or ()),
        "num_tokens": dataset.num_tokens,
        "caption_length": dataset.caption_length,
        "input_shape": None if input is None else list(input),
    }
    packed = {"image_shape": config["dataset"].get("image_shape"), "num_classes": told}
    for part in ("model", "wrappers", "augmentation", "loss"):
        _fill_from_data(config.get(part), part, known, image, packed)


def _fill_from_data(
    node: Any, key: str, known: Mapping[str, Any], image: Sequence[int], packed: Mapping[str, Any]
) -> None:
    if isinstance(node, list):
        for index, value in enumerate(node):
            _fill_from_data(value, f"{key}.{index}", known, image, packed)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in known and value in (None, packed.get(name)):
                if known[name] is None:
                    raise ConfigError(
                        f"{key}.{name}: the data has no inputs; choose a degradation (degradation=gray) or a dataset "
                        "of pairs (dataset=paired)"
                    )
                node[name] = known[name]
            elif name == "image_shape" and (value == packed[name] or not isinstance(value[0], int)):
                node[name] = list(image)
            else:
                _fill_from_data(value, f"{key}.{name}", known, image, packed)


def write_choices(node: dict[str, Any], chosen: Mapping[str, Any]) -> None:
    """Write into a part of the configuration what a component chose, so that a run goes on with the same."""
    for key, value in chosen.items():
        if isinstance(value, Mapping):
            write_choices(node[key], value)
        else:
            node[key] = value


def build_regularizers(nodes: Mapping[str, Any], parts: dict[str, Any]) -> dict[str, Regularizer]:
    """The regularizers by name. `begin`, the round from which one counts, is a key of every one of them."""
    plain = {name: {k: v for k, v in node.items() if k != "begin"} for name, node in nodes.items() if node is not None}
    built: dict[str, Regularizer] = build_each(plain, "loss.regularizers", parts)
    for name, regularizer in built.items():
        regularizer.begin = require_whole(nodes[name].get("begin", 0), f"loss.regularizers.{name}.begin", 0)
    return built


def build_optimizers(
    nodes: Mapping[str, Any], networks: Mapping[str, nn.Module], engine: Engine
) -> dict[str, torch.optim.Optimizer]:
    """One optimizer for every player, which has all networks of its kind. Raises ConfigError for a network without an
    optimizer, and for an optimizer without a network; a player that is null in `nodes` has none."""
    kinds: dict[str, list[nn.Module]] = {}
    for role, network in networks.items():
        kinds.setdefault(kind_of(role), []).append(network)
    for player, node in nodes.items():
        if player != "schedule" and node is not None and player not in kinds:
            raise ConfigError(f"optimizer.{player}: there is no network model.{player}; it has {', '.join(networks)}")
    optimizers = {}
    for player, members in kinds.items():
        if nodes.get(player) is None:
            raise ConfigError(f"optimizer.{player}: missing; model.{player} has nothing that moves it")
        factory = build(nodes[player], f"optimizer.{player}")
        try:
            optimizers[player] = engine.optimizer(factory, nn.ModuleList(members))
        except REFUSALS as error:
            raise ConfigError(f"optimizer.{player}: {error}") from error
    return optimizers


def is_foreign(config: Mapping[str, Any]) -> bool:
    """Whether something that takes part in a round is neither ours nor torch's."""
    playing = ("model", "wrappers", "loss", "augmentation", "degradation", "algorithm", "optimizer")
    found = targets({part: config.get(part) for part in playing})
    return any(not target.startswith(("gan_lab.", "torch.")) for _, target in found)
