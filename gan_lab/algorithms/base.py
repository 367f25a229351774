"""What every game has in common: players, their optimizers and averages, and the round that a subclass defines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from gan_lab.algorithms.duel import Duel
from gan_lab.algorithms.game import Game, kind_of
from gan_lab.algorithms.stage import Stage
from gan_lab.command_line.games import models_for
from gan_lab.data.batch import Batch
from gan_lab.engine import optimizers
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.sampler import Sampler

Metrics = dict[str, Tensor]
Due = tuple[str, ...]


class Setting(Protocol):
    """Sets one scheduled number. `on_host` is that number, or what it comes to in a round, where the device cannot read
    it by itself, else None."""

    on_host: Hashable

    def __call__(self, step: int, images: int = 0) -> None: ...


class Remembers(Protocol):
    """Keeps something from round to round that belongs into a checkpoint."""

    def state_dict(self) -> Mapping[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> object: ...


class Algorithm(ABC):
    """One round of a game: the order of moves, and nothing else.

    `averaged` names the players whose moving average makes the samples, `pairs` what it hands to regularizers as made
    and wanted. A subclass names the networks that it cannot do without in `needs`, and in `data`, for messages, what it
    is played with; which others there must be it asks with `need`. It registers its duels with `add_duel`: whoever
    wants to know who plays against whom looks there. What it remembers beside networks (a pool of images) it names in
    `memory`, and that is all that a checkpoint needs. Raises ConfigError for a network that is missing, and for a
    regularizer whose player or pair is not in the game.

    A round does no host synchronisation. What varies on the host between rounds is `due(step)`: `adversarial` once the
    players play against each other, and the regularizers whose turn it is. What is scheduled is set between rounds by
    `schedule_step` and `advance_averages`.
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    pairs: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    data: ClassVar[str] = ""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.networks, self.optimizers = dict(game.networks), dict(game.optimizers)
        self.engine, self.augmentation, self.accumulation = game.engine, game.augmentation, game.accumulation
        self.regularizers = game.regularizers
        self.need(*self.needs)
        players = {kind_of(role) for role in self.networks}
        for name, regularizer in self.regularizers.items():
            if regularizer.player not in players:
                raise ConfigError(f"loss.regularizers.{name}: its player {regularizer.player!r} is not in this game")
            if regularizer.pair and regularizer.pair not in self.pairs:
                has = ", ".join(self.pairs) or "none"
                raise ConfigError(f"loss.regularizers.{name}.pair: {regularizer.pair!r} is not in this game ({has})")
        self._check_first_stage()
        self.averages = {role: game.ema(net) for role, net in self.networks.items() if kind_of(role) in self.averaged}
        self.duels: dict[str, Duel] = {}
        self.memory: dict[str, Remembers] = {}
        self.settings: list[Setting] = []  # each sets one scheduled number for a step
        self.base_rates = {
            player: [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
            for player, optimizer in self.optimizers.items()
        }
        self.loads = 0  # how often a state was loaded, which moves the optimizers' memory
        self._rates = {player: list(rates) for player, rates in self.base_rates.items()}  # as they are set now

    def _check_first_stage(self) -> None:
        """Raise ConfigError where the generator has nothing to minimise before the game begins, or at all."""
        begins = self.game.adversarial_from
        paid = (r.player == "generator" and r.begin == 0 and r.every == 1 for r in self.regularizers.values())
        if (not begins and self.game.adversarial.pays_generator) or any(paid):
            return
        if begins:
            raise ConfigError(
                f"loss.adversarial_from: until round {begins} the generator has nothing to minimise; add a regularizer "
                "that it pays from the start in every round, e.g. loss/regularizers=[l1]"
            )
        raise ConfigError(
            "loss.regularizers: by this loss the generator is not paid, so it has nothing to minimise; add one that it "
            "pays in every round, e.g. loss/regularizers=[l1]"
        )

    def need(self, *roles: str) -> None:
        """Raise ConfigError for a network that is not there."""
        for role in roles:
            if role not in self.networks:
                raise ConfigError(f"model.{role}: missing; {self.requirements(roles)}")

    @classmethod
    def requirements(cls, roles: Sequence[str] = ()) -> str:
        """What this game needs, in words: the networks `roles`, or those of `needs`; and our models for it."""
        data, ours = (f" and {cls.data}" if cls.data else ""), models_for(f"{cls.__module__}.{cls.__qualname__}")
        return f"{cls.__name__} needs {', '.join(roles or cls.needs)}{data}" + (f": {ours}" if ours else "")

    def add_duel(self, duel: Duel) -> Duel:
        """Register a duel under its suffix."""
        self.duels[duel.suffix] = duel
        return duel

    @property
    def batches_per_round(self) -> int:
        """How many batches of real images one round consumes."""
        return 1

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        """What each duel, by its suffix, sees of a batch: all of it, unless a game divides it (levels, directions) or
        is not at its whole size yet."""
        return dict.fromkeys(self.duels, batch)

    def stage(self, images: int) -> Stage:
        """The stage of the round that follows after so many images were shown: always one, unless networks grow."""
        return Stage()

    def enter(self, stage: Stage) -> None:
        """Begin a stage: every network, and every average, that has a method `enter` is told."""
        for module in (*self.networks.values(), *(average.module for average in self.averages.values())):
            if callable(enter := getattr(module, "enter", None)):
                enter(stage)

    def advance(self, images: int) -> None:
        """Write to the device what changes with the images shown within a stage (a fade), before the round."""

    def shortfall(self, images: int, rounds: int) -> str | None:
        """What a run of so many rounds, that shows at most so many images, does not come to, in a line, if anything."""
        return None

    @property
    def takes_pieces(self) -> bool:
        """Whether a batch may be cut into pieces."""
        return True

    @abstractmethod
    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        """Play one round; the metrics are 0-d tensors that stay on the device."""

    @classmethod
    @abstractmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        """What draws from trained networks, by role: `settings` is the `algorithm` part of the configuration."""

    def move(self, player: str, batch: Batch, terms: Callable[[Batch], Terms]) -> Metrics:
        """One descent step of a player on the sum of `terms`, averaged over the pieces of the batch."""
        pieces = [lambda piece=piece: terms(piece) for piece in batch.split(self.accumulation)]
        losses, norm = self.engine.minimize(pieces, self.optimizers[player])
        self.constrain(player)
        named = {f"loss/{player}/{name}" if name else f"loss/{player}": value for name, value in losses.items()}
        scores = {name: value for duel in self.duels.values() for name, value in duel.scores().items()}
        return {**named, f"gradient_norm/{player}": norm, **scores}

    def constrain(self, player: str) -> None:
        """After a move of `player`: put its weights back where they must be."""
        for constraint in self.game.constraints.values():
            for role, network in self.networks.items():
                if constraint.player == player == kind_of(role):
                    constraint(network)

    def figures(self) -> Metrics:
        """What the augmentation has to report."""
        found: Mapping[str, Tensor] = getattr(self.augmentation, "figures", {})
        return {name: value.clone() for name, value in found.items()}  # it goes on changing where it is

    def due(self, step: int) -> Due:
        """What this step's round does beside its moves; rounds with equal `due` are the same computation."""
        plays = ("adversarial",) if step >= self.game.adversarial_from else ()
        return (*plays, *(name for name, regularizer in self.regularizers.items() if regularizer.is_due(step)))

    def all_due(self) -> Due:
        """The most that any round does: the players play, and every regularizer has begun and is due."""
        return ("adversarial", *self.regularizers)

    def schedule_step(self, step: int, images: int = 0) -> None:
        """Set every learning rate, and whatever else is scheduled, for the round that follows `step` rounds, in which
        so many real `images` were shown."""
        for setting in self.settings:
            setting(step, images)
        factor = self.rate_factor(step, images)
        for player, optimizer in self.optimizers.items():
            rates = [base * factor for base in self.base_rates[player]]
            if rates == self._rates[player]:
                continue
            self._rates[player] = rates
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def rate_factor(self, step: int, images: int) -> float:
        """What every learning rate is multiplied by in that round."""
        return self.game.schedule.factor(step)

    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each player, of its first parameter group."""
        return {player: rates[0] for player, rates in self._rates.items()}

    def compile(self) -> None:
        """Compile the networks' passes, where the engine is to."""
        for network in self.networks.values():
            self.engine.compiled(network)

    def round_key(self, step: int) -> Hashable:
        """Rounds of one key are the same computation: `due`, and every scheduled number that lives on the host."""
        numbers = [setting.on_host for setting in self.settings]
        rates = [float(g["lr"]) for o in self.optimizers.values() for g in o.param_groups if type(g["lr"]) is float]
        return self.due(step), tuple(numbers), tuple(rates)

    def average(self, step: int, images: int = 0) -> None:
        """Move every average towards its network after round number `step` (the first is 0), which showed so many real
        `images`."""
        self.advance_averages(step, images)
        self.follow_averages()

    def advance_averages(self, step: int, images: int = 0) -> None:
        """The part of that which the host does, and may do before the round."""
        for ema in self.averages.values():
            ema.advance(step, images)

    def follow_averages(self) -> None:
        """The part that the device does after the round."""
        for role, ema in self.averages.items():
            ema.follow(self.networks[role])

    def state_dict(self) -> dict[str, Any]:
        """Everything that training changed, as tensors and plain values."""
        return {
            "networks": {role: network.state_dict() for role, network in self.networks.items()},
            "ema": {role: ema.state_dict() for role, ema in self.averages.items()},
            "optimizers": {player: optimizer.state_dict() for player, optimizer in self.optimizers.items()},
            "algorithm": {
                "regularizers": {name: r.state_dict() for name, r in self.regularizers.items()},
                "memory": {name: dict(each.state_dict()) for name, each in self.memory.items()},
            },
            "augmentation": self.augmentation.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. What the configuration sets (learning rates, betas) stays the configuration's.

        Raises GanLabError, in one line, when the networks are not those that were saved.
        """
        self.load_networks(state)
        try:
            for player, optimizer in self.optimizers.items():
                optimizers.load_state(optimizer, state["optimizers"][player])
            for name, remembered in state["algorithm"].get("regularizers", {}).items():
                if name in self.regularizers:
                    self.regularizers[name].load_state_dict(remembered)
            for name, each in self.memory.items():
                each.load_state_dict(state["algorithm"]["memory"][name])
            self.augmentation.load_state_dict(state["augmentation"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise unfit(error) from error

    def load_networks(self, state: Mapping[str, Any]) -> None:
        """Restore networks and averages alone. Raises as `load_state_dict`."""
        self.loads += 1
        try:
            for role, network in self.networks.items():
                network.load_state_dict(state["networks"][role])
            for role, ema in self.averages.items():
                ema.load_state_dict(state["ema"][role])
        except (KeyError, RuntimeError, ValueError) as error:
            raise unfit(error) from error


def unfit(error: Exception) -> GanLabError:
    """What is said of a checkpoint of other networks."""
    reason = " ".join(str(error).split())[:200]
    return GanLabError(f"the checkpoint does not fit this configuration's networks: {reason}")
