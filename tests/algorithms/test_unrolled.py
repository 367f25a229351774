"""Unrolling: none is the plain game, one by hand, several against steps really taken; and nothing is left behind."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.parametrizations import spectral_norm
from torch.testing import assert_close

from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.unrolled import Unrolled, ZeroSum
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.losses import adversarial
from gan_lab.losses.consistency import Consistency
from gan_lab.losses.constraints import Constraint, WeightClipping
from gan_lab.losses.flip_and_shift import FlipAndShift
from gan_lab.losses.latent_consistency import LatentConsistency
from gan_lab.losses.regularizers import R1, R2, GradientPenalty, Regularizer, Turn
from gan_lab.models import dcgan, mlp
from tests.algorithms.games import noise_game
from tests.compose import composed

SHAPE, DIM = (1, 16, 16), 4
PLAYS = ("adversarial",)  # due in a round without regularizers
ADAM = partial(torch.optim.Adam, lr=1e-2, betas=(0.5, 0.9))
SGD = partial(torch.optim.SGD, lr=0.1, momentum=0.5, weight_decay=1e-3)
RMSPROP = partial(torch.optim.RMSprop, lr=1e-2, alpha=0.9, eps=1e-3)


def game(
    discriminator: nn.Module,
    generator: nn.Module | None = None,
    kind: type[NoiseToImage] = Unrolled,
    optimizer: Any = ADAM,
    **more: Any,
) -> Any:
    torch.manual_seed(0)
    networks = {"generator": generator or mlp.Generator(SHAPE, DIM, 4, depth=1), "discriminator": discriminator}
    return noise_game(networks, DIM, kind, optimizer=optimizer, **more)


def batch(n: int = 6, seed: int = 1, labels: bool = False) -> Batch:
    random = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(n, *SHAPE, generator=random) * 2 - 1, torch.arange(n) % 3 if labels else None)


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole game in float64: what asks for fp32 gets what it has."""
    monkeypatch.setattr(Tensor, "float", lambda self: self)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("reuse_fake", [True, False])
def test_no_steps_are_the_plain_game_bit_for_bit(reuse_fake: bool) -> None:
    def play(kind: type[NoiseToImage], **settings: Any) -> tuple[list[Any], Any]:
        torch.manual_seed(5)
        nets = dcgan.Discriminator(SHAPE, 4), dcgan.Generator(SHAPE, DIM, 4)
        ours = game(*nets, kind, regularizers={"r1": R1(1.0, every=2)}, reuse_fake=reuse_fake, **settings)
        return [ours.train_step([batch(seed=step)], ours.due(step)) for step in range(4)], ours.state_dict()

    for loss in (adversarial.Relativistic(), adversarial.NonSaturating()):
        plain, none = play(NoiseToImage, loss=loss), play(Unrolled, unroll_steps=0, loss=loss)
        assert_close(none, plain, rtol=0, atol=0)


class Scalar(nn.Module):
    """One number, times what comes in (a discriminator) or in its place (a generator)."""

    def __init__(self, value: float, makes: bool) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.makes = makes

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.value.expand(len(x), 1, 1, 1) if self.makes else self.value * x.flatten(1).sum(1)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.usefixtures("in_double")
def test_one_step_by_hand(name: str) -> None:
    """G makes t and D says w x: L_D = softplus(-w r) + softplus(w t), w1 = w - lr u(dL_D/dw), L_G = softplus(-w1 t)."""
    t, w, r, lr, beta1, beta2, eps = 0.7, -0.4, 1.3, 0.3, 0.5, 0.9, 1e-3
    factory = partial(torch.optim.SGD, lr=lr)
    if name == "adam":
        factory = partial(torch.optim.Adam, lr=lr, betas=(beta1, beta2), eps=eps)
    generators = partial(torch.optim.SGD, lr=1.0)
    ours = game(Scalar(w, False), Scalar(t, True), optimizer=factory, generators=generators, unroll_steps=1)
    real = Batch(torch.full((3, 1, 1, 1), r), None)
    ours.move_discriminator(real, PLAYS)  # one step taken: Adam has a past
    w, first = float(ours.networks["discriminator"].value.detach()), -r * sigmoid(-w * r) + t * sigmoid(w * t)

    slope = -r * sigmoid(-w * r) + t * sigmoid(w * t)
    by_t = sigmoid(w * t) + t * w * sigmoid(w * t) * sigmoid(-w * t)  # d slope / dt
    move, by_slope = slope, 1.0
    if name == "adam":
        c1, c2 = 1 - beta1**2, 1 - beta2**2
        mean = beta1 * (1 - beta1) * first + (1 - beta1) * slope
        square = beta2 * (1 - beta2) * first**2 + (1 - beta2) * slope**2
        root = math.sqrt(square / c2)
        move = mean / c1 / (root + eps)
        by_slope = (1 - beta1) / c1 / (root + eps) - mean / c1 / (root + eps) ** 2 * (1 - beta2) * slope / (c2 * root)
    after = w - lr * move
    derivative = -sigmoid(-after * t) * (after + t * -lr * by_slope * by_t)

    metrics = ours.move_generator(real, PLAYS)
    assert_close(metrics["loss/generator"], torch.tensor(math.log1p(math.exp(-after * t))), rtol=1e-10, atol=0)
    assert_close(ours.networks["generator"].value.detach(), torch.tensor(t - derivative), rtol=1e-10, atol=0)
    assert float(ours.networks["discriminator"].value.detach()) == w


class Conditional(nn.Module):
    """Scores that depend on the class."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.classes = nn.Linear(256, 5), nn.Embedding(3, 5)

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        return (torch.tanh(self.body(images.flatten(1))) * self.classes(label)).sum(1)


class Memory(Regularizer):
    """Pulls the mean score to its own running mean."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.mean: Tensor | None = None

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.real_scores is not None
        assert turn.mover is not None
        now = turn.real_scores.mean().detach()
        self.mean = now if self.mean is None else torch.lerp(self.mean, now, 0.5)
        size = sum(p.square().sum() for p in turn.mover.parameters())
        return (turn.real_scores.mean() - self.mean).square() + 1e-3 * size


def flat() -> nn.Module:
    return mlp.Discriminator(SHAPE, 4)


def still() -> nn.Module:
    return mlp.Discriminator(SHAPE, 4, dropout=0.0)


class Smooth(nn.Module):
    """Two layers with a tanh between them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(256, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(images.flatten(1)).squeeze(1)


def with_batch_norm() -> nn.Module:
    return dcgan.Discriminator(SHAPE, 4)


def without() -> nn.Module:
    return dcgan.Discriminator(SHAPE, 4, normalization="none")


def spectral() -> nn.Module:
    network = mlp.Discriminator(SHAPE, 4)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            spectral_norm(layer)
    return network


CLIPPED = {"clip": WeightClipping(0.05)}
SMOOTH: dict[str, tuple[Any, dict[str, Any]]] = {
    "dropout": (flat, {}),
    "conditional": (Conditional, {"optimizer": partial(SGD, nesterov=True)}),
    "batch norm": (with_batch_norm, {"optimizer": SGD}),
    "batch norm and r1": (with_batch_norm, {"regularizers": {"r1": R1(1.0)}}),
    "relativistic and r1": (without, {"loss": adversarial.Relativistic(), "regularizers": {"r1": R1(1.0)}}),
    "gradient penalty": (without, {"loss": adversarial.Wasserstein(), "regularizers": {"gp": GradientPenalty()}}),
    "r2": (with_batch_norm, {"regularizers": {"r1": R1(1.0), "r2": R2(1.0)}}),
    "consistency": (Smooth, {"regularizers": {"cr": Consistency(FlipAndShift(2), images="fake")}}),
    "latent consistency": (Smooth, {"regularizers": {"zcr": LatentConsistency(5.0, deviation=0.5)}}),
    "clipping": (still, {"optimizer": RMSPROP, "constraints": CLIPPED, "loss": adversarial.Wasserstein()}),
    "zero sum": (flat, {"optimizer": torch.optim.AdamW, "zero_sum": True}),
}
ROUGH: dict[str, tuple[Any, dict[str, Any]]] = {
    "spectral norm": (spectral, {}),
    "memory": (flat, {"regularizers": {"memory": Memory()}}),
}


def warmed(name: str, steps: int = 3) -> tuple[Any, Batch]:
    torch.manual_seed(3)
    build, settings = {**SMOOTH, **ROUGH}[name]
    ours = game(build(), unroll_steps=steps, **copy.deepcopy(settings))
    real = batch(labels=name == "conditional")
    for _ in range(3):
        ours.train_step([real], ours.due(0))
    return ours, real


def really(ours: Any, real: Batch, latent: Tensor, shift: list[Tensor]) -> Tensor:
    """The generator's loss after a copy of the discriminator has moved by its own optimizer, the generator shifted."""
    theirs = copy.deepcopy(ours)
    with torch.no_grad():
        for parameter, part in zip(theirs.networks["generator"].parameters(), shift, strict=True):
            parameter += part
    fake = Fake(theirs.networks["generator"](latent), latent)
    torch.manual_seed(9)
    for _ in range(theirs.unroll_steps):
        theirs.move_discriminator(real, theirs.due(0), lambda piece: fake)
    terms = Duel.generator_terms(theirs.duel, real, fake, theirs.due(0))
    return torch.stack(list(terms.values())).sum().detach()


@pytest.mark.parametrize("name", [*SMOOTH, *ROUGH])
@pytest.mark.usefixtures("in_double")
def test_several_steps_are_those_that_would_be_taken(name: str) -> None:
    """The loss equals the one after real steps; its derivative along a direction, the finite difference of those."""
    ours, real = warmed(name)
    latent = torch.randn(6, DIM)
    torch.manual_seed(8)
    parameters = list(ours.networks["generator"].parameters())
    direction = [torch.randn_like(p) for p in parameters]
    fake = Fake(ours.networks["generator"](latent), latent)
    torch.manual_seed(9)
    loss = torch.stack(list(ours.duel.generator_terms(real, fake, ours.due(0)).values())).sum()
    zero = [torch.zeros_like(p) for p in parameters]
    assert_close(loss.detach(), really(ours, real, latent, zero), rtol=1e-9, atol=1e-12)
    gradients = torch.autograd.grad(loss, parameters)
    assert all(bool(torch.isfinite(g).all()) for g in gradients)
    if name in ROUGH:  # what they hold fixed in the derivative (u; a running mean) moves in the difference
        return
    ours_along = torch.stack([(g * d).sum() for g, d in zip(gradients, direction, strict=True)]).sum()
    h = 1e-6
    ahead, behind = (really(ours, real, latent, [sign * h * d for d in direction]) for sign in (1, -1))
    assert_close(ours_along, (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["batch norm and r1", "spectral norm", "memory", "clipping"])
def test_the_steps_leave_nothing_behind(name: str) -> None:
    ours, real = warmed(name)
    discriminator, optimizer = ours.networks["discriminator"], ours.optimizers["discriminator"]
    discriminator.zero_grad()
    before = copy.deepcopy((discriminator.state_dict(), optimizer.state_dict()))
    remembered = [copy.deepcopy(vars(r)) for r in ours.regularizers.values()]
    generator = [p.detach().clone() for p in ours.networks["generator"].parameters()]
    ours.move_generator(real, ours.due(0))
    assert_close((discriminator.state_dict(), optimizer.state_dict()), before, rtol=0, atol=0)
    assert_close([vars(r) for r in ours.regularizers.values()], remembered, rtol=0, atol=0)
    for network in ours.networks.values():
        assert set(map(type, network.parameters())) == {nn.Parameter}
    assert all(p.grad is None for p in discriminator.parameters())
    assert not any(torch.equal(p, q) for p, q in zip(ours.networks["generator"].parameters(), generator, strict=True))


class Consistent(Regularizer):
    """A discriminator's penalty that makes images of its own."""

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.generator is not None
        assert turn.latent is not None
        return turn.critic(turn.generator(turn.latent + 0.1)).square().mean()


def test_images_that_a_penalty_makes_leave_nothing_in_the_generators_batch_norm() -> None:
    """And mixing torch's kernel (the first images) with the composed one (the penalty's) disturbs no backward pass."""
    ours = game(with_batch_norm(), dcgan.Generator(SHAPE, DIM, 4), regularizers={"own": Consistent(1.0)})
    with torch.no_grad():
        kept = ours.duel.fake(batch())
    before = {name: b.clone() for name, b in ours.networks["generator"].named_buffers()}
    fake = Fake(ours.networks["generator"](kept.source), kept.source)
    after = {name: b.clone() for name, b in ours.networks["generator"].named_buffers()}
    assert not torch.equal(before["layers.1.running_mean"], after["layers.1.running_mean"])
    ours.move_generator(batch(), (*PLAYS, "own"), lambda piece: fake)
    assert_close(dict(ours.networks["generator"].named_buffers()), after, rtol=0, atol=0)


def test_in_bf16_under_a_penalty() -> None:
    ours = game(with_batch_norm(), regularizers={"r1": R1(1.0)}, precision="bf16", unroll_steps=2)
    metrics = ours.train_step([batch()], ours.due(0))
    assert all(math.isfinite(float(value)) for value in metrics.values())


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient


class OnlyOnce(Scalar):
    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return Once.apply(super().forward(x))


class Rounded(Constraint):
    def __call__(self, network: nn.Module) -> None:
        """Nothing."""


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"unroll_steps": -1}, r"algorithm\.unroll_steps: -1 is not a whole number of at least 0"),
    ({"unroll_steps": True}, r"algorithm\.unroll_steps: True is not"),
    ({"optimizer": torch.optim.Adagrad}, r"optimizer\.discriminator: cannot be unrolled: Adagrad has no"),
    ({"constraints": {"mine": Rounded()}}, r"loss\.constraints\.mine: Rounded cannot be unrolled"),
    ({"accumulation": 2}, r"trainer\.accumulation: 2 pieces cannot be unrolled"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSALS)
def test_what_cannot_be_unrolled_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        game(flat(), **settings)
    if "unroll_steps" not in settings:
        game(flat(), unroll_steps=0, **settings)
    game(flat(), constraints={"other": Rounded("generator")})


def test_a_layer_that_is_differentiable_once_is_refused() -> None:
    ours = game(OnlyOnce(0.3, False))
    with pytest.raises(ConfigError, match=r"^algorithm\.unroll_steps: 5 needs a discriminator and regularizers that"):
        ours.train_step([batch()], PLAYS)


def test_the_zero_sum_by_hand() -> None:
    """Scores 0 and log 3 of real and fake images: D loses log 2 + log 4, G as much less."""
    real, fake = torch.zeros(2), torch.full((2,), math.log(3.0))
    loss = ZeroSum(adversarial.Minimax())
    assert_close(loss.discriminator(real, fake), torch.tensor(math.log(8.0)))
    assert_close(loss.generator(fake, real), torch.tensor(-math.log(8.0)))


@pytest.mark.parametrize("model", ["gan", "wgan_gp"])
def test_the_technique_keeps_what_the_model_prescribes(model: str) -> None:
    plain, ours = composed(f"model={model}"), composed("+technique=[unrolled]", f"model={model}", "+technique=unrolled")
    assert ours["algorithm"].pop("_target_") == "gan_lab.algorithms.unrolled.Unrolled"
    assert (ours["algorithm"].pop("unroll_steps"), ours["algorithm"].pop("zero_sum")) == (5, False)
    plain["algorithm"].pop("_target_")
    assert {k: v for k, v in ours.items() if k != "technique"} == plain
