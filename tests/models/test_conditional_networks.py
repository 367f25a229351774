"""What the spectrally normalised networks owe the algorithms: shapes, labels, derivatives, the right average."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.testing import assert_close

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.layers.attention import Attention
from gan_lab.layers.spectral_norm import SpectralNorm
from gan_lab.losses.regularizers import R1, Turn
from gan_lab.models import biggan, sagan, sngan, sngan_dcgan

FAMILIES: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = {
    "sngan": (sngan.Generator, sngan.Discriminator),
    "sagan": (sagan.Generator, sagan.Discriminator),
    "biggan": (biggan.Generator, biggan.Discriminator),
    "biggan, flat": (
        lambda *a, **k: biggan.Generator(*a, hierarchical=False, **k),
        lambda *a, **k: biggan.Discriminator(*a, attention=0, weights="normal", **k),
    ),
    "biggan, tables": (
        lambda *a, **k: biggan.Generator(*a, hierarchical=False, shared_dim=0, attention=0, weights="normal", **k),
        biggan.Discriminator,
    ),
}
UNCONDITIONAL = {**FAMILIES, "sngan_dcgan": (sngan_dcgan.Generator, sngan_dcgan.Discriminator)}
SHAPES = [(1, 8, 8), (1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 96, 80), (3, 64, 64), (1, 128, 128)]


def attending(network: nn.Module) -> nn.Module:
    """The network with its attention switched on: gamma starts at 0."""
    for module in network.modules():
        if isinstance(module, Attention):
            nn.init.constant_(module.gamma, 0.5)
    return network


def settled(network: nn.Module) -> nn.Module:
    """The network in evaluation mode, its power iterations where they converge to."""
    for module in network.modules():
        if "weight" in getattr(module, "parametrizations", {}):
            original = module.parametrizations.weight.original.detach()
            module.parametrizations.weight[0].u.copy_(torch.linalg.svd(original.flatten(1)).U[:, 0])
    return network.eval()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_without_labels(family: str, shape: tuple[int, int, int]) -> None:
    make_generator, make_discriminator = UNCONDITIONAL[family]
    torch.manual_seed(0)
    generator, discriminator = make_generator(list(shape), 10, width=4), make_discriminator(list(shape), width=4)
    images = generator(10 * torch.randn(2, 10))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    critique = discriminator(images)
    assert critique.scores.shape == (2,)
    assert critique.features.shape[0] == 2
    assert getattr(generator, "num_classes", 0) == getattr(discriminator, "num_classes", 0) == 0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_with_labels(family: str, shape: tuple[int, int, int]) -> None:
    make_generator, make_discriminator = FAMILIES[family]
    torch.manual_seed(0)
    generator = make_generator(list(shape), 10, width=4, num_classes=5)
    discriminator = make_discriminator(list(shape), width=4, num_classes=5)
    assert generator.num_classes == discriminator.num_classes == 5
    images = generator(torch.randn(2, 10), torch.tensor([0, 4]))
    assert images.shape == (2, *shape)
    assert discriminator(images, torch.tensor([0, 4])).scores.shape == (2,)
    for call in (lambda: generator(torch.randn(2, 10)), lambda: discriminator(images)):
        with pytest.raises(ValueError, match="knows 5 classes: call it with a label"):
            call()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_label_matters(family: str) -> None:
    """One latent, two labels: two images; one image, two labels: two scores. Tables start equal, so they are moved."""
    torch.manual_seed(0)
    generator = FAMILIES[family][0]((1, 16, 16), 10, width=8, num_classes=3).eval()
    discriminator = FAMILIES[family][1]((1, 16, 16), width=8, num_classes=3).eval()
    for name, parameter in generator.named_parameters():
        if name.endswith(("scale", "shift")):
            nn.init.normal_(parameter)
    images = generator(torch.randn(1, 10).expand(3, -1), torch.tensor([0, 1, 1]))
    assert (images[0] - images[1]).abs().max() > 1e-2
    assert_close(images[1], images[2])
    scores = discriminator(images[:1].expand(3, -1, -1, -1), torch.tensor([0, 1, 1])).scores
    assert (scores[0] - scores[1]).abs() > 1e-3
    assert_close(scores[1], scores[2])


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_linear_in_the_features(family: str) -> None:
    """<w + v_y, h> + b by hand, with h the sum over the last map."""
    discriminator = FAMILIES[family][1]((1, 16, 16), width=4, num_classes=3).eval()
    images, labels = torch.randn(4, 1, 16, 16), torch.tensor([0, 2, 1, 2])
    critique, head = discriminator(images, labels), discriminator.to_score
    assert_close(critique.features, torch.relu(discriminator.blocks(images)).flatten(2).sum(2))
    rows = head.linear.weight + head.embedding.weight[labels]
    by_hand = torch.stack([row @ h for row, h in zip(rows, critique.features, strict=True)]) + head.linear.bias
    assert_close(critique.scores, by_hand)


@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_the_discriminator_is_normalised_everywhere(family: str) -> None:
    discriminator = UNCONDITIONAL[family][1]((1, 64, 64), width=4)
    layers = [m for m in discriminator.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert all(isinstance(layer.parametrizations.weight[0], SpectralNorm) for layer in layers)
    settled(discriminator)
    for layer in layers:
        assert_close(torch.linalg.svdvals(layer.weight.flatten(1))[0], torch.tensor(1.0), rtol=1e-2, atol=0)


@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_every_parameter_learns(family: str) -> None:
    """One backward through both players reaches every weight, in both memory layouts."""
    classes = {} if family == "sngan_dcgan" else {"num_classes": 3}
    for memory_format in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        generator = UNCONDITIONAL[family][0]((3, 64, 64), 10, width=4, **classes)
        discriminator = UNCONDITIONAL[family][1]((3, 64, 64), width=4, **classes)
        generator, discriminator = (
            attending(network).to(memory_format=memory_format) for network in (generator, discriminator)
        )
        label = torch.tensor([0, 1, 2, 1])
        images = generator(torch.randn(4, 10), label)
        discriminator(images, label).scores.square().sum().backward()
        for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_double_backward_is_the_derivative_of_r1(family: str) -> None:
    """The gradient of R1 by every parameter, attention included, against central differences along a line."""
    torch.manual_seed(0)
    discriminator = settled(attending(UNCONDITIONAL[family][1]((1, 64, 64), width=2).double()))
    weights = {name: p.detach() for name, p in discriminator.named_parameters()}
    direction = {name: torch.randn_like(p) for name, p in weights.items()}
    real = torch.randn(2, 1, 64, 64, dtype=torch.float64)

    def penalty(given: dict[str, Tensor]) -> Tensor:
        return R1()(Turn(real, real, critic=lambda images: functional_call(discriminator, given, (images,)).scores))

    leaves = {name: p.clone().requires_grad_() for name, p in weights.items()}
    gradients = torch.autograd.grad(penalty(leaves), list(leaves.values()), allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, direction.values(), strict=True) if g is not None)
    step = 1e-7  # small enough that no unit crosses its kink
    ahead, behind = ({n: p + sign * step * direction[n] for n, p in weights.items()} for sign in (1, -1))
    numeric = (penalty(ahead) - penalty(behind)).detach() / (2 * step)
    assert numeric.abs() > 1e-9
    assert_close(slope, numeric, rtol=1e-4, atol=0)


@pytest.mark.parametrize("family", ["sagan", "biggan"])
def test_samples_come_from_the_averaged_weights(family: str) -> None:
    """The averaged weights are divided by sigmas of their own, whatever the length that averaging left of each u."""
    torch.manual_seed(0)
    generator = FAMILIES[family][0]((1, 16, 16), 10, width=4)
    average = ExponentialMovingAverage(generator, decay=0.97, warmup=False)
    directions = [torch.randn_like(parameter) for parameter in generator.parameters()]
    for step in range(60):  # the weights move as in training, and u follows them
        with torch.no_grad():
            for parameter, direction in zip(generator.parameters(), directions, strict=True):
                parameter.add_(direction, alpha=0.005)
        generator(torch.randn(8, 10))
        average.update(generator, step)
    averaged, latent = average.module, torch.randn(4, 10)
    images = averaged(latent)
    assert (generator.eval()(latent) - images).abs().max() > 5e-2
    for module in averaged.modules():
        if "weight" in getattr(module, "parametrizations", {}):
            u = module.parametrizations.weight[0].u
            u.copy_(nn.functional.normalize(u, dim=0))
            largest = torch.linalg.svdvals(module.weight.flatten(1))[0]
            assert_close(largest, torch.tensor(1.0), rtol=0.05, atol=0)
    assert_close(averaged(latent), images)


@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_a_deep_copy_and_its_state(family: str) -> None:
    torch.manual_seed(0)
    generator = UNCONDITIONAL[family][0]((1, 16, 16), 10, width=4)
    latent = torch.randn(4, 10)
    generator(latent)
    other = UNCONDITIONAL[family][0]((1, 16, 16), 10, width=4)
    other.load_state_dict(generator.state_dict())
    expected = copy.deepcopy(generator)(latent)
    assert torch.equal(generator(latent), expected)
    assert torch.equal(other(latent), expected)


@pytest.mark.parametrize("family", UNCONDITIONAL)
def test_sizes_that_do_not_halve_are_refused(family: str) -> None:
    make_generator, make_discriminator = UNCONDITIONAL[family]
    for build in (lambda: make_generator((3, 89, 109), 8), lambda: make_discriminator((3, 89, 109))):
        with pytest.raises(ValueError, match=r"image_shape 3x89x109 .* nearest sizes that work: 96x112 or 80x96"):
            build()


@pytest.mark.parametrize("model", [sngan, sagan, biggan])
def test_the_last_map_is_summed(model: Any) -> None:
    """Not averaged: 8x8 places count 64 times."""
    torch.manual_seed(0)
    discriminator = model.Discriminator((3, 32, 32), 4).eval()
    images = torch.randn(2, 3, 32, 32)
    last = discriminator.blocks(images)
    assert_close(discriminator(images).features, last.relu().flatten(2).sum(2))
    assert last[0, 0].numel() > 1
