"""Every layer kind has a largest singular value of 1, and the normalisation behaves like a part of the network."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.testing import assert_close

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear
from gan_lab.layers.spectral_norm import SpectralNorm, spectral_norm

LAYERS = {
    "conv": lambda: nn.Conv2d(3, 6, 4),
    "conv, channels_last": lambda: nn.Conv2d(3, 6, 4).to(memory_format=torch.channels_last),
    "transposed": lambda: nn.ConvTranspose2d(3, 6, 4),
    "linear": lambda: nn.Linear(5, 3),
    "embedding": lambda: nn.Embedding(7, 4),
}


def matrix(layer: nn.Module, weight: Tensor) -> Tensor:
    """One row per output channel."""
    return (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1)


def sigma(layer: nn.Module, weight: Tensor) -> Tensor:
    return torch.linalg.svdvals(matrix(layer, weight).detach())[0]


@pytest.mark.parametrize("kind", LAYERS)
def test_sigma_is_the_largest_singular_value(kind: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind]().double()
    plain = layer.weight.detach().clone()
    spectral_norm(layer)
    for _ in range(300):
        weight = layer.weight
    assert_close(weight, plain / sigma(layer, plain), rtol=1e-9, atol=1e-12)
    assert_close(sigma(layer, weight), torch.tensor(1.0, dtype=torch.float64))
    assert_close(layer.parametrizations.weight.original, plain, rtol=0, atol=0)


def test_one_power_iteration_a_forward_pass() -> None:
    """Algorithm 1 of the paper, by hand."""
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(5, 4, bias=False).double())
    normalisation = layer.parametrizations.weight[0]
    assert isinstance(normalisation, SpectralNorm)
    plain, u = layer.parametrizations.weight.original.detach(), torch.randn(4, dtype=torch.float64)
    normalisation.u.copy_(u)
    for _ in range(2):
        v = plain.T @ u
        v = v / v.norm()
        u = plain @ v
        u = u / u.norm()
        x = torch.randn(3, 5, dtype=torch.float64)
        assert_close(layer(x), x @ plain.T / (u @ plain @ v))
        assert_close(normalisation.u, u)
        assert not normalisation.u.requires_grad


def test_evaluation_keeps_u() -> None:
    layer = spectral_norm(nn.Linear(5, 4)).eval()
    before = layer.parametrizations.weight[0].u.clone()
    x = torch.randn(2, 5)
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(layer.parametrizations.weight[0].u, before)


def test_gradient_of_the_normalised_weight() -> None:
    """Equation 12: (G - <G, W/sigma> u v^T) / sigma, with u and v held fixed."""
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(5, 4, bias=False).double()).eval()
    plain = layer.parametrizations.weight.original
    upstream = torch.randn(4, 5, dtype=torch.float64)
    (got,) = torch.autograd.grad((layer.weight * upstream).sum(), plain)
    weight = plain.detach()
    v = weight.T @ layer.parametrizations.weight[0].u
    v = v / v.norm()
    u = weight @ v / (weight @ v).norm()
    largest = u @ weight @ v
    assert_close(got, (upstream - (upstream * weight).sum() / largest * torch.outer(u, v)) / largest)


def test_gradients_of_several_forward_passes_add_up() -> None:
    """Real, fake and a penalty in one backward, though each pass moved u: the sum of the parts."""
    torch.manual_seed(0)
    critic = spectral_norm(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 1))).double()
    twin = copy.deepcopy(critic)
    real, fake = torch.randn(2, 5, 1, 4, 4, dtype=torch.float64)

    def penalty(network: nn.Module) -> Tensor:
        images = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(images).sum(), images, create_graph=True)
        return gradient.square().sum()

    (critic(real).sum() - critic(fake).sum() + penalty(critic)).backward()
    for part in (lambda: twin(real).sum(), lambda: -twin(fake).sum(), lambda: penalty(twin)):
        part().backward()
    for one, other in zip(critic.parameters(), twin.parameters(), strict=True):
        assert_close(one.grad, other.grad)


def test_double_backward() -> None:
    """The derivative of a gradient penalty by the plain weights, against finite differences, u held fixed."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(1, 3, 3).double(), nn.Linear(12, 1).double()
    normalise = [SpectralNorm(layer.weight).eval() for layer in (first, second)]
    images = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)

    def penalty(kernel: Tensor, row: Tensor) -> Tensor:
        features = torch.tanh(nn.functional.conv2d(images, normalise[0](kernel))).flatten(1)
        scores = features @ normalise[1](row).T
        (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return gradient.square().sum()

    # v follows from u and the weight without a gradient: where the iteration has converged, that is no difference
    for layer, part in zip((first, second), normalise, strict=True):
        for _ in range(500):
            part.train()(layer.weight)
        part.eval()
    assert torch.autograd.gradcheck(penalty, (first.weight, second.weight), atol=1e-5)


def test_copy_and_state() -> None:
    """A copy stands alone; a state dict brings back weights and u, so that the next outputs are the same."""
    torch.manual_seed(0)
    layer, x = spectral_norm(nn.Linear(5, 4)), torch.randn(2, 5)
    twin = copy.deepcopy(layer)
    assert torch.equal(layer(x), twin(x))
    layer(x)
    other = spectral_norm(nn.Linear(5, 4))
    assert set(layer.state_dict()) == {"bias", "parametrizations.weight.original", "parametrizations.weight.0.u"}
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))
    assert not torch.equal(twin.parametrizations.weight[0].u, layer.parametrizations.weight[0].u)


def test_an_average_is_divided_by_its_own_sigma() -> None:
    """The averaged u is shorter than 1 and belongs to no weight exactly; sigma is still that of the averaged weight."""
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(6, 4).double())
    average = ExponentialMovingAverage(layer, decay=0.5, warmup=False)
    plain = layer.parametrizations.weight.original
    mean = plain.detach().clone()
    direction = torch.randn_like(plain)
    for step in range(30):
        with torch.no_grad():
            plain.add_(direction, alpha=0.05)
        layer(torch.zeros(1, 6, dtype=torch.float64))
        average.update(layer, step)
        mean = (mean + plain.detach()) / 2
    averaged = average.module
    assert_close(averaged.parametrizations.weight.original, mean)
    assert averaged.parametrizations.weight[0].u.norm() < 1
    assert_close(averaged.weight, mean / torch.linalg.svdvals(mean)[0], rtol=1e-3, atol=0)


def test_what_is_constrained() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Linear(3, 3)), nn.Embedding(4, 2))
    assert spectral_norm(network) is network
    spectral_norm(network)  # a second time changes nothing
    counts = [
        len(module.parametrizations.weight) if parametrize.is_parametrized(module) else 0
        for module in (network[0], network[1], network[2][0], network[3])
    ]
    assert counts == [1, 0, 1, 1]


def test_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(64, 32)).eval()
    expected = layer.weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer.weight, expected)


def test_zeros_are_refused() -> None:
    layer = nn.Linear(2, 2)
    nn.init.zeros_(layer.weight)
    with pytest.raises(ValueError, match="the weight of Linear starts as all zeros"):
        spectral_norm(layer)
    with torch.no_grad():
        layer.weight[0, 0] = 3.0
    assert_close(spectral_norm(layer).weight.detach(), torch.tensor([[1.0, 0.0], [0.0, 0.0]]))  # a zero is no direction


@pytest.mark.parametrize("layer", [EqualizedConv2d(2, 3, 3), EqualizedLinear(2, 3)])
def test_equalized_layers_are_refused(layer: nn.Module) -> None:
    with pytest.raises(ValueError, match="0 is equalized; leave spectral norm out"):
        spectral_norm(nn.Sequential(layer))
