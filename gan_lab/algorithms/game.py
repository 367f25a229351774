"""What a game is played with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.schedules import Schedule
from gan_lab.engine.engine import Engine
from gan_lab.losses.adversarial import AdversarialLoss
from gan_lab.losses.constraints import Constraint
from gan_lab.losses.regularizers import Regularizer


@dataclass(frozen=True)
class Game:
    """`networks` by role, `optimizers` by player.

    A role is a kind, or a kind with a suffix (`generator`, `generator_ab`, `discriminator_0`). A player is a kind: all
    its networks move together, by one optimizer. `schedule` gives the factor on every learning rate, `ema` is a partial
    of an `ExponentialMovingAverage`, `accumulation` the number of pieces that each batch is cut into, to bound memory.
    `constraints` say what a player's weights must satisfy after each of its moves. Before the round
    `adversarial_from` nobody plays against anybody: generators only pay their regularizers.
    """

    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    engine: Engine
    adversarial: AdversarialLoss
    augmentation: nn.Module
    ema: Callable[[nn.Module], ExponentialMovingAverage]
    schedule: Schedule
    regularizers: Mapping[str, Regularizer] = field(default_factory=dict)
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    accumulation: int = 1
    adversarial_from: int = 0


def kind_of(role: str) -> str:
    """The player whose network a role is: `generator` of `generator_ab`."""
    return role.partition("_")[0]
