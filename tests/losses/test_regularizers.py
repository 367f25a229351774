"""Gradient penalties on critics whose gradients are known: values and gradients in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from gan_lab.losses.regularizers import R1, R2, GradientPenalty, Regularizer, Turn

SHAPE = (2, 3, 4)


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(5, *SHAPE, dtype=torch.float64), torch.randn(5, *SHAPE, dtype=torch.float64)


@pytest.fixture
def w() -> Tensor:
    return torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()


def turn(images: tuple[Tensor, Tensor], critic: object) -> Turn:
    return Turn(real=images[0], fake=images[1], critic=critic)  # type: ignore[arg-type]


def linear(w: Tensor) -> object:
    return lambda x: (x * w).flatten(1).sum(1)


def gradient(value: Tensor, w: Tensor) -> Tensor:
    return torch.autograd.grad(value, w)[0]


@pytest.mark.parametrize("target", [1.0, 0.0, 2.5])
def test_gradient_penalty_of_a_linear_critic(images: tuple[Tensor, Tensor], w: Tensor, target: float) -> None:
    """D(x) = w.x: (||w|| - target)^2, whatever the images; by w: 2 (||w|| - target) w / ||w||."""
    penalty = GradientPenalty(target=target)(turn(images, linear(w)))
    norm = w.detach().norm()
    assert_close(penalty.detach(), (norm - target) ** 2)
    assert_close(gradient(penalty, w), 2 * (norm - target) * w.detach() / norm)


@pytest.mark.parametrize("penalty", [R1(), R2()])
def test_squared_gradient_of_a_linear_critic(images: tuple[Tensor, Tensor], w: Tensor, penalty: Regularizer) -> None:
    """D(x) = w.x: 1/2 ||w||^2, by w: w."""
    value = penalty(turn(images, linear(w)))
    assert_close(value.detach(), 0.5 * w.detach().square().sum())
    assert_close(gradient(value, w), w.detach())


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty()])
def test_the_images_stay_as_they_are(images: tuple[Tensor, Tensor], w: Tensor, penalty: Regularizer) -> None:
    """Others look at them after a penalty: they carry no gradient then, either."""
    before = [each.clone() for each in images]
    gradient(penalty(turn(images, linear(w))), w)
    assert not any(each.requires_grad for each in images)
    assert all(map(torch.equal, images, before))


@pytest.mark.parametrize(("penalty", "which"), [(R1(), 0), (R2(), 1)])
def test_squared_gradient_of_a_quadratic_critic(
    images: tuple[Tensor, Tensor], w: Tensor, penalty: Regularizer, which: int
) -> None:
    """D(x) = 1/2 sum w x^2 has the gradient w x: 1/2 E sum (w x)^2, by w: E[w x^2]; r1 reads real, r2 fake images."""
    value = penalty(turn(images, lambda x: 0.5 * (w * x.square()).flatten(1).sum(1)))
    x, weights = images[which], w.detach()
    assert_close(value.detach(), 0.5 * (weights * x).square().flatten(1).sum(1).mean())
    assert_close(gradient(value, w), (weights * x.square()).mean(0))


def test_gradient_penalty_mixes_with_one_epsilon_per_sample(images: tuple[Tensor, Tensor]) -> None:
    seen: list[Tensor] = []

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    GradientPenalty()(turn(images, critic))
    real, fake = images
    epsilon = ((seen[0] - fake) / (real - fake)).flatten(1)  # (5, pixels)
    assert_close(epsilon, epsilon[:, :1].expand_as(epsilon))  # one number for all pixels of a sample
    assert len({round(value, 6) for value in epsilon[:, 0].tolist()}) == 5  # and another for each sample
    assert epsilon.min() >= 0
    assert epsilon.max() < 1


def test_gradient_penalty_weighs_each_samples_norm(images: tuple[Tensor, Tensor]) -> None:
    """D(x_i) = c_i sum(x): norms c_i sqrt(24), the penalty the mean of their squared distances to 1."""
    scale = torch.arange(5, dtype=torch.float64)
    value = GradientPenalty()(turn(images, lambda x: scale * x.flatten(1).sum(1)))
    assert_close(value, (scale * 24**0.5 - 1).square().mean())


def test_a_score_map_counts_as_its_mean(images: tuple[Tensor, Tensor], w: Tensor) -> None:
    """Seven equal scores per sample are one score."""
    repeated = turn(images, lambda x: (x * w).flatten(1).sum(1, keepdim=True).expand(-1, 7))
    assert_close(R1()(repeated).detach(), 0.5 * w.detach().square().sum())
    assert_close(GradientPenalty()(repeated).detach(), (w.detach().norm() - 1) ** 2)


def test_a_flat_critic_gives_no_nan(images: tuple[Tensor, Tensor]) -> None:
    w = torch.zeros(SHAPE, dtype=torch.float64, requires_grad=True)
    value = GradientPenalty()(turn(images, linear(w)))
    assert_close(value.detach(), torch.ones((), dtype=torch.float64))
    assert_close(gradient(value, w), torch.zeros_like(w))


def test_images_that_carry_a_graph_pass_it_on(images: tuple[Tensor, Tensor]) -> None:
    """An unrolled game differentiates through where a penalty looks: the value is the same, the slope is there."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    source = images[1].clone().requires_grad_()

    def value(fake: Tensor) -> Tensor:
        return R2()(Turn(real=images[0], fake=fake, critic=critic))

    slope = gradient(value(source * 2), source)
    assert_close(value(source * 2), value(source.detach() * 2))
    step = 1e-6 * torch.randn(source.shape, dtype=torch.float64)
    difference = value((source + step).detach() * 2) - value((source - step).detach() * 2)
    assert_close((slope * step).sum(), difference / 2, rtol=1e-5, atol=0)
    assert not images[0].requires_grad


def test_bf16_images_of_a_generator_are_taken(images: tuple[Tensor, Tensor]) -> None:
    real, fake = images[0].float(), images[1].bfloat16()
    w = torch.ones(SHAPE)
    for penalty, expected in ((GradientPenalty(), (24**0.5 - 1) ** 2), (R2(), 12.0)):
        assert_close(penalty(turn((real, fake), linear(w))), torch.tensor(expected))


def test_unequal_batches_are_a_mistake(images: tuple[Tensor, Tensor], w: Tensor) -> None:
    with pytest.raises(AssertionError, match="pair by pair"):
        GradientPenalty()(turn((images[0], images[1][:4]), linear(w)))


@pytest.mark.parametrize("kind", [GradientPenalty, R1, R2])
def test_settings(kind: type[R1]) -> None:
    penalty = kind(weight=3.0, every=16)
    assert (penalty.weight, penalty.every, penalty.player) == (3.0, 16, "discriminator")
    for weight in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="weight must be a finite number"):
            kind(weight=weight)
    for every in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="every must be a whole number"):
            kind(weight=1.0, every=every)  # type: ignore[arg-type]


def test_target_is_checked() -> None:
    with pytest.raises(ValueError, match="target must be a finite number"):
        GradientPenalty(target=-1.0)


@pytest.mark.parametrize("penalty", [R1(), GradientPenalty()], ids=["r1", "gradient penalty"])
def test_attention_in_a_critic(penalty: Regularizer) -> None:
    """torch's fused attention has no second derivative: a penalty takes attention by its formula."""
    weight = torch.randn(8, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
    images = torch.randn(2, 2, 1, 16, 8, generator=torch.Generator().manual_seed(2))  # (N, C, H, W) each

    def fused(x: Tensor) -> Tensor:
        return scaled_dot_product_attention(x @ weight, x, x).flatten(1).sum(1)

    def formula(x: Tensor) -> Tensor:
        return (((x @ weight) @ x.transpose(2, 3) / 8**0.5).softmax(-1) @ x).flatten(1).sum(1)

    found = []
    for critic in (fused, formula):
        torch.manual_seed(0)
        found.append(gradient(penalty(turn((images[0], images[1]), critic)), weight))
    assert_close(*found, rtol=1e-4, atol=1e-4)
