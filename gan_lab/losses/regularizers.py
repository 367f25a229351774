"""Terms beside the game: each reads one turn and returns a scalar.

A regularizer says which `player` pays, with what `weight`, and in which rounds (`every`, lazy regularization of Karras
et al. 2019, arXiv:1912.04958, section 3.1). It returns the mean penalty of the turn *unweighted*; whoever adds it up
multiplies by `weight * every`. Deviation: there a lazy term has optimizer steps of its own, with Adam's rate times c
and its betas to the power of c, c = every / (every + 1). Here it joins the loss of its round and Adam stays as it is,
so that the larger gradient of every so many rounds enters its moments.

Nothing here waits for the device, so a round with penalties can be captured.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.higher_order import twice_differentiable

Pairs = Mapping[str, tuple[Tensor, Tensor]]
Patches = Mapping[str, Sequence[tuple[Tensor, Tensor]]]


@dataclass
class Turn:
    """What lies on the table when a player pays: images, critiques, and ways to ask for more.

    `critic` maps images to scores (N, ...), with augmentation inside and the batch's condition unless it is asked about
    another; `generator` maps latents (or whatever it starts from) to images, its condition bound. `mover` is the
    network of the player that pays. `condition` is the column of the batch that the discriminator gets second; where it
    is made of tokens, `embed` makes floats of it, which `critic` takes in its place. `pairs` are what was made and what
    was wanted, by name; `patches`, of such a pair, what an encoder sees of both at the same places, `(N, P, D)` for
    each of its maps. In the discriminator's turn `fake` is detached; in the generator's, `real_critique` is there only
    for who needs it, and carries no gradient. `duel` tells apart the duels of a game that has several.
    """

    real: Tensor  # (N, C, H, W)
    fake: Tensor  # (N, C, H, W)
    critic: Callable[..., Tensor]
    real_critique: Critique | None = None
    fake_critique: Critique | None = None
    labels: Tensor | None = None  # (N,)
    latent: Tensor | None = None  # (N, D)
    generator: Callable[[Tensor], Tensor] | None = None
    mover: nn.Module | None = None
    condition: Tensor | None = None
    embed: Callable[[Tensor], Tensor] | None = None
    pairs: Pairs = field(default_factory=dict)
    patches: Patches = field(default_factory=dict)
    duel: str = ""

    @property
    def real_scores(self) -> Tensor | None:
        return None if self.real_critique is None else self.real_critique.scores

    @property
    def fake_scores(self) -> Tensor | None:
        return None if self.fake_critique is None else self.fake_critique.scores


class Regularizer(ABC):
    """A penalty for one player, from the round `begin` on, in every `every`-th round.

    `begin` may be set by whoever builds it (`loss.regularizers.NAME.begin`). Raises ValueError for a negative or
    infinite `weight` and for `every` below 1.
    """

    player: str = "discriminator"
    begin: int = 0
    needs_real: ClassVar[bool] = False  # in the generator's turn: the critique of the real images
    pair: str = ""  # the pair of the turn that it compares
    patches: ClassVar[bool] = False  # whether it is by what an encoder sees of the pair that it does so

    def __init__(self, weight: float, every: int = 1) -> None:
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"weight must be a finite number of at least 0, not {weight}")
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every must be a whole number of at least 1, not {every}")
        self.weight: float | Tensor = weight  # a tensor where a schedule moves it on a device
        self.every = every

    def is_due(self, step: int) -> bool:
        """Whether it is paid in the round after `step` rounds."""
        return step >= self.begin and step % self.every == 0

    @abstractmethod
    def __call__(self, turn: Turn) -> Tensor:
        """The mean penalty of this turn, a 0-d tensor, without the weight."""

    def place(self, placed: Callable[[nn.Module], nn.Module]) -> None:
        """Let `placed` put the networks that it looks with where the game is played; most have none."""

    def chosen(self) -> Mapping[str, Any]:
        """What it has chosen where the configuration leaves that to what is there, by its keys; most choose nothing."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What it remembers from round to round, as tensors and plain values; most have nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`."""


def penalties(
    regularizers: Mapping[str, Regularizer], player: str, due: tuple[str, ...], turn: Turn
) -> dict[str, Tensor]:
    """The regularizers of `player` whose turn it is, weighted; a lazy one counts for the rounds it sat out."""
    return {
        name: regularizer(turn) * (regularizer.weight * regularizer.every)
        for name, regularizer in regularizers.items()
        if regularizer.player == player and name in due
    }


class GradientPenalty(Regularizer):
    """E[(||grad D(x_hat)||_2 - target)^2], x_hat = eps x + (1 - eps) G(z), one eps in [0, 1) per *sample*.

    Gulrajani et al. 2017 (arXiv:1704.00028, equation 3). The paper's weight (lambda) is 10 and its target 1. BatchNorm
    in the critic couples the samples, so this penalises something else there: the paper's critics have none.
    """

    def __init__(self, weight: float = 10.0, every: int = 1, target: float = 1.0) -> None:
        super().__init__(weight, every)
        if not (math.isfinite(target) and target >= 0):
            raise ValueError(f"target must be a finite number of at least 0, not {target}")
        self.target = target

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = turn.real.detach(), turn.fake.to(turn.real.dtype)  # a generator may speak bf16
        assert real.shape == fake.shape, "a gradient penalty mixes real and fake images pair by pair"
        epsilon = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
        gradient = image_gradient(turn.critic, torch.lerp(fake, real, epsilon))
        # vector_norm, not a square root of our own: its derivative at 0 is 0 instead of NaN
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return (norm - self.target).square().mean()


class R1(Regularizer):
    """1/2 E||grad D(x)||^2 on real images; `weight` is gamma (Mescheder et al. 2018, arXiv:1801.04406, equation 9)."""

    def __init__(self, weight: float = 10.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        return half_squared_gradient(turn.critic, turn.real)


class R2(Regularizer):
    """1/2 E||grad D(G(z))||^2 on generated images; `weight` is gamma (arXiv:1801.04406, equation 10)."""

    def __init__(self, weight: float = 10.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        return half_squared_gradient(turn.critic, turn.fake.to(turn.real.dtype))


def half_squared_gradient(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return 0.5 * image_gradient(critic, images).square().flatten(1).sum(1).mean()


def image_gradient(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Gradient of every sample's score by its own image, (N, C, H, W), differentiable by the critic's parameters.

    Where the critic gives a map of scores, a sample's score is the mean of its map, as in the adversarial losses.
    """
    # images that carry a gradient (a supposed step of an unrolled game) keep it; the view is a place to look at alone
    images = images.view_as(images) if images.requires_grad else images.detach().requires_grad_()
    with twice_differentiable():
        scores = critic(images)
        total = scores.reshape(len(scores), -1).mean(1).sum()
        (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return gradient
