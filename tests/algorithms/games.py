"""A game put together by hand, from networks and losses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.schedules import Constant
from gan_lab.engine.engine import Engine
from gan_lab.losses import adversarial
from gan_lab.losses.constraints import Constraint
from gan_lab.losses.regularizers import Regularizer

ADAM = partial(torch.optim.Adam, lr=1e-2)


def parts(
    networks: Mapping[str, nn.Module],
    optimizer: Any = ADAM,
    generators: Any = None,
    loss: adversarial.AdversarialLoss | None = None,
    regularizers: Mapping[str, Regularizer] | None = None,
    constraints: Mapping[str, Constraint] | None = None,
    augmentation: nn.Module | None = None,
    decay: float = 0.9,
    schedule: Any = None,
    precision: str = "fp32",
    **more: Any,
) -> Game:
    """What a game is played with: one optimizer a player, the generator's another where `generators` says so."""
    engine = Engine(device="cpu", precision=precision)
    placed = {role: engine.place(network) for role, network in networks.items()}
    kinds: dict[str, list[nn.Module]] = {}
    for role, network in placed.items():
        kinds.setdefault(role.partition("_")[0], []).append(network)
    factories = {kind: generators or optimizer if kind == "generator" else optimizer for kind in kinds}
    return Game(
        networks=placed,
        optimizers={kind: engine.optimizer(factories[kind], nn.ModuleList(nets)) for kind, nets in kinds.items()},
        engine=engine,
        adversarial=loss or adversarial.NonSaturating(),
        augmentation=augmentation or nn.Identity(),
        ema=partial(ExponentialMovingAverage, decay=decay),
        schedule=schedule or Constant(),
        regularizers=regularizers or {},
        constraints=constraints or {},
        **more,
    )


def noise_game(
    networks: Mapping[str, nn.Module], dim: int, kind: type[NoiseToImage] = NoiseToImage, **settings: Any
) -> Any:
    """Noise to images; `settings` are those of `parts` and of the algorithm."""
    names = ("latent", "critic_steps", "reuse_fake", "unroll_steps", "zero_sum", "generator_batch")
    own = {name: settings.pop(name) for name in names if name in settings}
    return kind(game=parts(networks, **settings), latent=Normal(dim), **own)
