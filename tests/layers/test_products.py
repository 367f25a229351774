"""Convolutions as products: the three maps against torch's own, to any order, and in whatever layer."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d
from torch.testing import assert_close

from gan_lab.layers import products
from gan_lab.layers.convolutions import as_products
from gan_lab.layers.products import Shape, convolve, correlate, spread
from gan_lab.layers.spectral_norm import spectral_norm

# kernel, stride, padding, height, width, channels, features: DCGAN's, residual nets', odd ones
GEOMETRIES = [
    (4, 2, 1, 8, 8, 6, 5),
    (4, 2, 1, 8, 6, 5, 3),
    (3, 1, 1, 5, 7, 6, 4),
    (1, 1, 0, 4, 4, 6, 3),
    (5, 2, 2, 7, 7, 6, 4),
    (3, 2, 1, 8, 8, 6, 4),
    (5, 3, 1, 9, 8, 5, 4),
    (2, 2, 0, 9, 8, 5, 3),  # nothing reaches the last row
    (2, 2, 0, 8, 9, 5, 3),
]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products in every precision and for every size, a few images at a time."""
    monkeypatch.setattr(products, "_worth", lambda *about: True)
    monkeypatch.setattr(products, "SCRATCH", 2**14)


def tensors(geometry: tuple[int, ...]) -> tuple[Tensor, Tensor, Shape]:
    kernel, stride, padding, height, width, channels, features = geometry
    torch.manual_seed(0)
    images = torch.randn(3, channels, height, width, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(features, channels, kernel, kernel, dtype=torch.float64, requires_grad=True)
    return images, weight, Shape((stride, stride), (padding, padding), (height, width))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_maps_are_a_convolution_and_its_gradients(geometry: tuple[int, ...]) -> None:
    images, kernel, shape = tensors(geometry)
    maps = conv2d(images, kernel, None, shape.stride, shape.padding)
    assert_close(convolve(images, kernel, shape), maps)
    on_maps = torch.randn_like(maps)
    by_images, by_kernel = torch.autograd.grad(maps, (images, kernel), on_maps)
    assert_close(spread(on_maps, kernel, shape), by_images)
    assert_close(correlate(images, on_maps, kernel, shape), by_kernel)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "geometry", [pytest.param((4, 2, 1, 4, 4, 5, 2), marks=pytest.mark.whole), (3, 1, 1, 3, 3, 5, 2)]
)
def test_to_the_second_order(geometry: tuple[int, ...]) -> None:
    images, kernel, shape = tensors(geometry)
    maps = torch.randn_like(conv2d(images, kernel, None, shape.stride, shape.padding)).requires_grad_()
    checks = (
        (lambda a, b: convolve(a, b, shape), (images, kernel)),
        (lambda a, b: spread(a, b, shape), (maps, kernel)),
        (lambda a, b: products.Correlate.apply(a, b, kernel.detach(), shape), (images, maps)),
    )
    for function, inputs in checks:
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


LAYERS = {
    "strided": lambda: nn.Conv2d(8, 6, 4, stride=2, padding=1),
    "plain": lambda: nn.Conv2d(8, 6, 3, padding=1, bias=False),
    "transposed": lambda: nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1),
    "grown": lambda: nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1),
    "spectral": lambda: spectral_norm(nn.Conv2d(8, 6, 4, stride=2, padding=1)),
    "groups": lambda: nn.Conv2d(8, 6, 3, groups=2),
    "reflected": lambda: nn.Conv2d(8, 6, 3, padding=1, padding_mode="reflect"),
    "same": lambda: nn.Conv2d(8, 6, 3, padding="same"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_computes_what_it_did(name: str) -> None:
    """In bf16, where products are taken: equal to the roundings of bf16; in fp32 to the last bit."""
    torch.manual_seed(0)
    layer = LAYERS[name]()
    theirs, ours = layer, as_products(copy.deepcopy(layer))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    images = torch.randn(4, 8, 8, 8)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=0)
    gradients = []
    for each in (ours, theirs):
        with torch.autocast("cpu", torch.bfloat16):
            out = each(images)
        assert out.dtype == torch.bfloat16
        gradients.append([out.float(), *torch.autograd.grad(out.float().square().mean(), list(each.parameters()))])
    for mine, its in zip(*gradients, strict=True):
        assert_close(mine, its, rtol=2e-2, atol=2e-2 * its.detach().abs().max().item())


def test_a_copy_computes_with_its_own_weights() -> None:
    layer = as_products(nn.Conv2d(8, 6, 4, stride=2, padding=1))
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.weight.zero_()
        assert other.bias is not None
        other.bias.fill_(2.0)
    images = torch.randn(2, 8, 8, 8)
    assert_close(other(images), torch.full((2, 6, 4, 4), 2.0))
    assert not torch.equal(layer(images), other(images))


def test_a_penalty_through_bf16_products() -> None:
    """The gradient of a gradient's norm, in bf16 against fp32: the direction is the same."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(8, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 4, 2, 1), nn.Flatten())
    images = torch.randn(8, 8, 8, 8)
    found = []
    for precise in (True, False):
        network = copy.deepcopy(critic) if precise else as_products(copy.deepcopy(critic))
        seen = images.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=not precise):
            (gradient,) = torch.autograd.grad(network(seen).float().sum(), seen, create_graph=True)
            penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        penalty.backward()
        found.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    assert torch.cosine_similarity(*found, dim=0) > 0.999
