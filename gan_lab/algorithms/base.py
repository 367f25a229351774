"""What every game has in common: players, their optimizers and averages, and the round that a subclass defines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.schedules import Schedule
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.losses.constraints import Constraint
from gan_lab.sampling.sampler import Sampler

Metrics = dict[str, Tensor]


class Setting(Protocol):
    """Sets one scheduled number. `on_host` is that number where the device cannot read it by itself, else None."""

    on_host: float | None

    def __call__(self, step: int) -> None: ...


class Algorithm(ABC):
    """One round of a game: the order of moves, and nothing else.

    `roles` names the networks it needs and `averaged` those whose moving average makes the samples. `networks`,
    `optimizers`: by role. `schedule`: gives the factor on every learning rate. `ema`: partial of an
    `ExponentialMovingAverage`. `accumulation`: pieces that each batch is cut into, to bound memory. `constraints`: what
    a player's weights must satisfy after each of its moves.

    A round does no host synchronisation. What varies on the host between rounds is the hashable `due(step)`; what is
    scheduled is set between rounds by `schedule_step` and `average`.
    """

    roles: ClassVar[tuple[str, ...]]
    averaged: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        optimizers: Mapping[str, torch.optim.Optimizer],
        engine: Engine,
        ema: Callable[[nn.Module], ExponentialMovingAverage],
        schedule: Schedule,
        accumulation: int = 1,
        constraints: Mapping[str, Constraint] | None = None,
    ) -> None:
        for role in self.roles:
            if role not in networks:
                raise ConfigError(f"model.{role}: missing; {type(self).__name__} needs {', '.join(self.roles)}")
        self.networks = dict(networks)
        self.optimizers = dict(optimizers)
        self.engine = engine
        self.averages = {role: ema(self.networks[role]) for role in self.averaged}
        self.schedule = schedule
        self.accumulation = accumulation
        self.constraints = dict(constraints or {})
        self.settings: list[Setting] = []  # each sets one scheduled number for a step
        self.base_rates = {role: [float(g["lr"]) for g in o.param_groups] for role, o in self.optimizers.items()}
        self._rates = {role: list(rates) for role, rates in self.base_rates.items()}  # as they are set now

    @property
    @abstractmethod
    def batches_per_round(self) -> int:
        """How many batches of real images one round consumes."""

    @abstractmethod
    def train_step(self, batches: Sequence[Batch], due: Hashable) -> Metrics:
        """Play one round; the metrics are 0-d tensors that stay on the device."""

    @abstractmethod
    def sampler(self) -> Sampler:
        """Draws from the averaged networks as they are now."""

    @classmethod
    @abstractmethod
    def load_sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        """The same from stored networks and the `algorithm` part of a stored configuration."""

    def due(self, step: int) -> Hashable:
        """What this step's round does beside its moves; rounds with equal `due` are the same computation."""
        return ()

    def schedule_step(self, step: int) -> None:
        """Set every learning rate, and whatever else is scheduled, for the round that follows `step` rounds."""
        for setting in self.settings:
            setting(step)
        factor = self.schedule.factor(step)
        for role, optimizer in self.optimizers.items():
            rates = [base * factor for base in self.base_rates[role]]
            if rates == self._rates[role]:
                continue
            self._rates[role] = rates
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def constrain(self, role: str) -> None:
        """After a move of `role`: put its weights back where they must be."""
        for constraint in self.constraints.values():
            if constraint.player == role:
                constraint(self.networks[role])

    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each player, of its first parameter group."""
        return {role: rates[0] for role, rates in self._rates.items()}

    def compile(self) -> None:
        """Compile the networks' passes, where the engine is to."""
        for network in self.networks.values():
            self.engine.compiled(network)

    def round_key(self, step: int) -> Hashable:
        """Rounds of one kind are the same computation: `due`, and every scheduled number that lives on the host."""
        numbers = [setting.on_host for setting in self.settings]
        rates = [float(g["lr"]) for o in self.optimizers.values() for g in o.param_groups if type(g["lr"]) is float]
        return self.due(step), tuple(numbers), tuple(rates)

    def average(self, step: int) -> None:
        """Move every average towards its network after round number `step` (the first is 0)."""
        self.advance_averages(step)
        self.follow_averages()

    def advance_averages(self, step: int) -> None:
        """The part of that which the host does, and may do before the round."""
        for ema in self.averages.values():
            ema.advance(step)

    def follow_averages(self) -> None:
        """The part that the device does after the round."""
        for role, ema in self.averages.items():
            ema.follow(self.networks[role])

    def state_dict(self) -> dict[str, Any]:
        """Everything that training changed, as tensors and plain values."""
        return {
            "networks": {role: network.state_dict() for role, network in self.networks.items()},
            "ema": {role: ema.state_dict() for role, ema in self.averages.items()},
            "optimizers": {role: optimizer.state_dict() for role, optimizer in self.optimizers.items()},
            "algorithm": self.extra_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. What the configuration sets (learning rates, betas) stays the configuration's.

        Raises GanLabError, in one line, when the networks are not those that were saved.
        """
        try:
            for role, network in self.networks.items():
                network.load_state_dict(state["networks"][role])
            for role, ema in self.averages.items():
                ema.load_state_dict(state["ema"][role])
            for role, optimizer in self.optimizers.items():
                fresh = optimizer.state_dict()
                fresh["state"] = state["optimizers"][role]["state"]
                optimizer.load_state_dict(fresh)
            self.load_extra_state(state["algorithm"])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise GanLabError(f"the checkpoint does not fit this configuration's networks: {reason}") from error

    def extra_state(self) -> dict[str, Any]:
        """State of the algorithm itself (an image pool, running means); most have none."""
        return {}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore `extra_state()`."""
