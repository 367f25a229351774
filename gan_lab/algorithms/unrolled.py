"""Unrolled GAN (Metz et al. 2016, arXiv:1611.02163): the generator moves against a discriminator some steps on."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_lab.algorithms.differentiable import Lookahead, rule_of
from gan_lab.algorithms.duel import Duel, Fake, Source, column, ignore
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.config import require_whole
from gan_lab.data.batch import Batch
from gan_lab.distributed.world import world
from gan_lab.engine.engine import Terms
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.layers.higher_order import HigherOrder
from gan_lab.losses.adversarial import AdversarialLoss
from gan_lab.losses.constraints import WeightClipping
from gan_lab.losses.regularizers import Pairs, Patches

T = TypeVar("T")
UNDIFFERENTIABLE = ("differentiate twice", "order derivatives", "derivative for")  # torch's messages


class Unrolled(NoiseToImage):
    """The generator's loss is taken with the discriminator after `unroll_steps` steps of its own optimizer.

    Equations 6 to 9: theta_{k+1} = theta_k - step(gradient of the discriminator's loss at theta_k), and the gradient
    runs back through all the steps (second order). The steps go on from the optimizer's present state and see the
    discriminator's whole loss, with the regularizers that are due and weight clipping, on one minibatch: the round's
    last real images and the very images that the generator is judged on, as in the authors' code. They are only
    supposed: the discriminator, its optimizer, every buffer and its regularizers' memory stay as they are. With 0 steps
    the game is NoiseToImage.

    `zero_sum`: the generator maximises the discriminator's adversarial loss, real images included, which is the paper's
    f (equations 3 and 9); false takes the generator's own loss, such as the non-saturating one.

    Deviations. The players move in turn, so the steps start from a discriminator that has just moved; in the paper's
    equations 10 and 11 both move at once.
    """

    def __init__(
        self,
        game: Game,
        latent: Latent,
        critic_steps: int = 1,
        reuse_fake: bool = True,
        unroll_steps: int = 5,
        zero_sum: bool = False,
        generator_batch: int = 1,
    ) -> None:
        self.unroll_steps = require_whole(unroll_steps, "algorithm.unroll_steps", 0)
        if zero_sum:
            game = dataclasses.replace(game, adversarial=ZeroSum(game.adversarial))
        super().__init__(game, latent, critic_steps, reuse_fake, generator_batch)
        if unroll_steps:
            self._check()

    def make_duel(self) -> Duel:
        return UnrolledDuel(self.game, self.noise, self.unroll_steps) if self.unroll_steps else super().make_duel()

    @property
    def takes_pieces(self) -> bool:
        return not self.unroll_steps

    def _check(self) -> None:
        """Raise ConfigError for what cannot be unrolled."""
        otherwise = "or algorithm.unroll_steps=0"
        try:
            rule_of(self.optimizers["discriminator"])
        except ValueError as error:
            raise ConfigError(f"optimizer.discriminator: cannot be unrolled: {error}; take one, {otherwise}") from error
        for name, constraint in self.game.constraints.items():
            if constraint.player == "discriminator" and type(constraint) is not WeightClipping:
                kind = type(constraint).__name__
                raise ConfigError(f"loss.constraints.{name}: {kind} cannot be unrolled; leave it out, {otherwise}")
        if self.accumulation > 1:
            raise ConfigError(
                f"trainer.accumulation: {self.accumulation} pieces cannot be unrolled, a supposed step needs the whole "
                f"batch; set 1, {otherwise}"
            )

    def compile(self) -> None:
        """Not the discriminator: its supposed steps are differentiated twice."""
        self.engine.compiled(self.networks["generator"])


class UnrolledDuel(Duel):
    """A duel whose generator is judged by the discriminator of `steps` steps later."""

    def __init__(self, game: Game, source: Source, steps: int) -> None:
        super().__init__(game, source)
        self.steps = steps
        self._examined: set[tuple[str, ...]] = set()

    def generator_terms(
        self,
        batch: Batch,
        fake: Fake,
        due: tuple[str, ...],
        pairs: Pairs | None = None,
        patches: Patches | None = None,
    ) -> Terms:
        try:
            play = super().generator_terms
            return self._after_steps(batch, fake, due, lambda: play(batch, fake, due, pairs, patches))
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            if any(words in reason for words in UNDIFFERENTIABLE):
                raise self._undifferentiable(reason[:120]) from error
            raise

    def reference(self, batch: Batch) -> Critique:
        """Here it depends on the generator, which moved the discriminator."""
        return self.critique(batch.image, column(batch, self.condition))

    def _after_steps(self, batch: Batch, fake: Fake, due: tuple[str, ...], play: Callable[[], Terms]) -> Terms:
        """What `play` gives where the discriminator has taken its steps."""
        optimizer = self.game.optimizers["discriminator"]
        lookahead, names = Lookahead(optimizer), self._names(optimizer)
        buffers = copied_buffers("discriminator", self.discriminator)
        generators = copied_buffers("generator", self.generator)
        with self._memory_set_aside():
            for _ in range(self.steps):
                present = {**generators, **buffers, **dict(zip(names, lookahead.values, strict=True))}
                with HigherOrder():
                    terms = self._supposing(present, lambda: self._judged(batch, fake, due, ignore))
                total = torch.stack(list(terms.values())).sum()
                with torch.autocast(self.game.engine.device.type, enabled=False):
                    own = torch.autograd.grad(total, lookahead.values, create_graph=True, allow_unused=True)
                    gradients = world().means(own)
                    if due not in self._examined:
                        self._examine(gradients, due)
                    lookahead.step(gradients)
                    self._clip(lookahead)
        present = {**buffers, **dict(zip(names, lookahead.values, strict=True))}
        return self._supposing(present, play)

    def _undifferentiable(self, reason: str) -> ConfigError:
        return ConfigError(
            f"algorithm.unroll_steps: {self.steps} needs a discriminator and regularizers that can be "
            f"differentiated once more ({reason}); set 0, or choose others"
        )

    def _examine(self, gradients: Sequence[Tensor | None], due: tuple[str, ...]) -> None:
        """Refuse a function marked `once_differentiable`: where only the generator's gradient is asked for, torch would
        leave out what flows through it without a word."""
        if any(type(node).__name__ == "Error" for node in graph(gradients)):
            raise self._undifferentiable("it has a function marked once_differentiable")
        self._examined.add(due)

    def _names(self, optimizer: torch.optim.Optimizer) -> list[str]:
        """The names in a scene of the parameters of the discriminator's optimizer, in its order."""
        names = {
            parameter: f"networks.discriminator.{name}" for name, parameter in self.discriminator.named_parameters()
        }
        return [names[p] for group in optimizer.param_groups for p in group["params"]]

    def _supposing(self, present: dict[str, Tensor], play: Callable[[], T]) -> T:
        """Play with parameters and buffers of the networks replaced by `present`, for whoever reads them."""
        scene = Scene({"generator": self.generator, "discriminator": self.discriminator}, play)
        result: T = functional_call(scene, present, ())
        return result

    def _clip(self, lookahead: Lookahead) -> None:
        """Weight clipping, differentiably: what is clipped no longer depends on the step."""
        for constraint in self.game.constraints.values():
            if isinstance(constraint, WeightClipping) and constraint.player == "discriminator":
                bound = constraint.bound
                lookahead.values = [value.clamp(-bound, bound) for value in lookahead.values]

    @contextmanager
    def _memory_set_aside(self) -> Iterator[None]:
        """Let copies of the discriminator's regularizers observe the supposed steps: some remember them."""
        real = self.regularizers
        self.regularizers = {name: copy.deepcopy(r) if r.player == "discriminator" else r for name, r in real.items()}
        try:
            yield
        finally:
            self.regularizers = real


def copied_buffers(role: str, network: nn.Module) -> dict[str, Tensor]:
    """The buffers of a network by their names in a scene."""
    return {f"networks.{role}.{name}": buffer.clone() for name, buffer in network.named_buffers()}


def graph(tensors: Sequence[Tensor | None]) -> Iterator[Any]:
    """Every node that autograd recorded on the way to the tensors."""
    waiting = [tensor.grad_fn for tensor in tensors if tensor is not None and tensor.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        found = {after for after, _ in node.next_functions if after is not None} - seen
        seen |= found
        waiting += found


class Scene(nn.Module):
    """Plays a closure as the forward pass of a module with the networks in it, where `functional_call` finds them."""

    def __init__(self, networks: Mapping[str, nn.Module], play: Callable[[], Any]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(networks)
        self.play = play

    def forward(self) -> Any:
        return self.play()


class ZeroSum(AdversarialLoss):
    """The discriminator's loss of `inner`, negated for the generator: both players share one value."""

    needs_real: ClassVar[bool] = True

    def __init__(self, inner: AdversarialLoss) -> None:
        self.inner = inner

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.inner.discriminator(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        if real is None:
            raise ValueError("a zero-sum game has one value, which needs the real scores too")
        return -self.inner.discriminator(real, fake)
