"""What every pair of networks owes the algorithms: shapes, ranges, raw scores, derivatives, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.testing import assert_close

from gan_lab.losses.regularizers import R1, GradientPenalty, Turn
from gan_lab.models import dcgan, mlp, resnet

FAMILIES = {
    "mlp": (mlp.Generator, mlp.Discriminator),
    "mlp, plain": (
        lambda *a, **k: mlp.Generator(*a, depth=1, batch_norm=False, **k),
        lambda *a, **k: mlp.Discriminator(*a, depth=1, dropout=0.0, **k),
    ),
    "dcgan": (dcgan.Generator, dcgan.Discriminator),
    "dcgan, no norm": (dcgan.Generator, lambda *a, **k: dcgan.Discriminator(*a, normalization="none", **k)),
    "resnet": (resnet.Generator, resnet.Discriminator),
}
CONVOLUTIONAL = [name for name in FAMILIES if not name.startswith("mlp")]
SHAPES = [(1, 8, 8), (1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 128, 128), (3, 24, 16), (4, 32, 64)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_and_ranges(family: str, shape: tuple[int, int, int]) -> None:
    make_generator, make_discriminator = FAMILIES[family]
    torch.manual_seed(0)
    generator, discriminator = make_generator(list(shape), 10, width=4), make_discriminator(list(shape), width=4)
    images = generator(10 * torch.randn(5, 10), None)
    assert images.shape == (5, *shape)
    assert images.abs().max() <= 1
    assert discriminator(images, None).scores.shape == (5,)
    assert discriminator.eval()(images[:1]).scores.shape == (1,)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_logits(family: str) -> None:
    """Raw scores grow without bound with the last layer's weights; a sigmoid would not."""
    discriminator = FAMILIES[family][1]((1, 16, 16), width=4).eval()
    images = torch.randn(5, 1, 16, 16)
    *_, last = (module for module in discriminator.modules() if isinstance(module, nn.Linear))
    if last.bias is not None:
        nn.init.zeros_(last.bias)
    scores = discriminator(images).scores
    with torch.no_grad():
        last.weight.mul_(-1000)
    assert_close(discriminator(images).scores, -1000 * scores, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_double_backward_is_the_derivative_of_the_penalty(family: str) -> None:
    """The gradient of R1 and of the gradient penalty by every parameter, against central differences along a line."""
    torch.manual_seed(0)
    discriminator = FAMILIES[family][1](
        (1, 16, 16), width=3
    ).double()  # in training mode: BatchNorm and dropout included
    # five times the first weights: away from a gradient norm of 0, where nothing could be told apart
    weights = {name: 5 * p.detach() for name, p in discriminator.named_parameters()}
    direction = {name: torch.randn_like(p) for name, p in weights.items()}
    real, fake = torch.randn(2, 4, 1, 16, 16, dtype=torch.float64)

    def penalty(kind: type[R1] | type[GradientPenalty], given: dict[str, Tensor]) -> Tensor:
        torch.manual_seed(1)  # the same epsilons and dropout masks every time
        return kind()(Turn(real, fake, critic=lambda images: functional_call(discriminator, given, (images,)).scores))

    for kind in (R1, GradientPenalty):
        leaves = {name: p.clone().requires_grad_() for name, p in weights.items()}
        gradients = torch.autograd.grad(penalty(kind, leaves), list(leaves.values()), allow_unused=True)
        slopes = [(g * d).sum() for g, d in zip(gradients, direction.values(), strict=True) if g is not None]
        step = 1e-7  # small enough that no unit crosses its kink
        ahead, behind = ({n: p + sign * step * direction[n] for n, p in weights.items()} for sign in (1, -1))
        numeric = (penalty(kind, ahead) - penalty(kind, behind)).detach() / (2 * step)
        assert numeric.abs() > 1e-3
        assert_close(torch.stack(slopes).sum(), numeric, rtol=1e-5, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_learns(family: str) -> None:
    """One backward through both networks in training mode reaches every weight, with and without channels_last."""
    for memory_format in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        generator = FAMILIES[family][0]((3, 16, 16), 6, width=4).to(memory_format=memory_format)
        discriminator = FAMILIES[family][1]((3, 16, 16), width=4).to(memory_format=memory_format)
        discriminator(generator(torch.randn(8, 6))).scores.square().sum().backward()
        for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("family", FAMILIES)
def test_channels_last_changes_nothing(family: str) -> None:
    torch.manual_seed(0)
    generator, discriminator = FAMILIES[family][0]((3, 16, 16), 6, width=4), FAMILIES[family][1]((3, 16, 16), width=4)
    generator, discriminator = generator.double().eval(), discriminator.double().eval()
    latent = torch.randn(4, 6, dtype=torch.float64)
    images = generator(latent)
    scores = discriminator(images).scores
    generator, discriminator = (n.to(memory_format=torch.channels_last) for n in (generator, discriminator))
    assert_close(generator(latent), images, check_stride=False)
    assert_close(discriminator(images.contiguous(memory_format=torch.channels_last)).scores, scores)


@pytest.mark.parametrize("family", CONVOLUTIONAL)
def test_sizes_that_do_not_halve_are_refused(family: str) -> None:
    for build in (lambda: FAMILIES[family][0]((3, 89, 109), 8), lambda: FAMILIES[family][1]((3, 89, 109))):
        with pytest.raises(ValueError, match=r"image_shape 3x89x109 .* nearest sizes that work: 96x112 or 80x96"):
            build()


@pytest.mark.parametrize("family", ["mlp, plain", "dcgan, no norm", "resnet"])
def test_a_critic_without_normalisation_scores_each_image_alone(family: str) -> None:
    discriminator = FAMILIES[family][1]((1, 16, 16), width=4).double()
    images = torch.randn(6, 1, 16, 16, dtype=torch.float64)
    assert_close(discriminator(images).scores[2:3], discriminator(images[2:3]).scores)
