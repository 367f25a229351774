"""StyleGAN2's discriminator: its blocks by hand, its classes, its statistic, what is kept in fp32."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import conv2d, leaky_relu
from torch.testing import assert_close

from gan_lab.layers.fir import Downsample, Smooth
from gan_lab.losses.regularizers import R1, Turn
from gan_lab.models.stylegan2_discriminator import Discriminator, Layer

ARCHITECTURES = ("resnet", "skip", "orig")


def small(shape: tuple[int, int, int] = (3, 16, 16), **more: Any) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(shape, **{"width": 8, "full": 8, **more})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("shape", [(1, 28, 28), (4, 32, 64), (3, 24, 16), (1, 8, 8)], ids=str)
def test_sizes(shape: tuple[int, int, int], architecture: str) -> None:
    discriminator = small(shape, architecture=architecture)
    critique = discriminator(torch.randn(4, *shape))
    assert critique.scores.shape == (4,)
    assert critique.features is not None
    assert critique.features.shape == (4, 8)


def test_a_layer_that_halves_by_hand() -> None:
    """The filter, then a convolution of stride 2 without padding; the gains stand in the kernel."""
    torch.manual_seed(0)
    layer = Layer(3, 4, 3, down=True, gain=0.5).double()
    conv = layer.conv[1]
    nn.init.normal_(conv.bias)
    maps = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    smooth = Smooth(2).double()(maps)
    expected = leaky_relu(conv2d(smooth, conv.weight / math.sqrt(27), conv.bias, stride=2), 0.2)
    assert layer(maps).shape == (2, 4, 4, 3)
    assert_close(layer(maps), 0.5 * math.sqrt(2) * expected)


def test_a_residual_block_by_hand() -> None:
    discriminator = small().double()
    block = discriminator.blocks[1]
    maps, image = torch.randn(2, 8, 8, 8, dtype=torch.float64), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    shortcut = conv2d(Downsample().double()(maps), block.shortcut[1].weight) / math.sqrt(8)
    one = Layer(8, 8, 3, down=True).double()
    one.load_state_dict(block.down.state_dict())
    expected = math.sqrt(0.5) * (one(block.layer(maps)) + shortcut)
    assert_close(block(maps, image)[0], expected)
    assert torch.equal(block(maps, image)[1], image)


def test_where_the_image_is_seen() -> None:
    seen = {name: [block.of_image is not None for block in small(architecture=name).blocks] for name in ARCHITECTURES}
    assert seen == {"resnet": [True, False], "skip": [True, True], "orig": [True, False]}
    assert small(architecture="skip").of_image is not None
    halved = small(architecture="skip").blocks[0](None, torch.ones(1, 3, 16, 16))[1]
    assert_close(halved, Downsample()(torch.ones(1, 3, 16, 16)))


def test_images_are_compared_in_groups() -> None:
    """Image 0 has another score beside another image 2, of its group of two out of four; not beside another 1."""
    discriminator, images = small(group=2), torch.randn(4, 3, 16, 16)
    scores = discriminator(images).scores
    for other, moves in ((2, True), (1, False)):
        changed = images.clone()
        changed[other] *= 3
        assert (discriminator(changed).scores[0] != scores[0]) == moves


def test_a_class_is_a_direction() -> None:
    """<f, m(c)> / sqrt(width), linear in f."""
    discriminator, images, label = small(num_classes=3), torch.randn(3, 3, 16, 16), torch.tensor([2, 0, 1])
    critique = discriminator(images, label)
    vectors = discriminator.to_score(critique.features)
    assert_close(critique.scores, (vectors * discriminator.mapping(None, label)).sum(1) / math.sqrt(8))
    assert len(discriminator.mapping.layers) == 8
    with pytest.raises(ValueError, match="call it with a label"):
        discriminator(images)


def test_every_parameter_learns() -> None:
    for architecture in ARCHITECTURES:
        discriminator = small(num_classes=3, architecture=architecture)
        discriminator(torch.randn(9, 3, 16, 16), torch.arange(9) % 3).scores.square().sum().backward()
        for name, parameter in discriminator.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.count_nonzero() > 0, name


def test_the_largest_resolutions_compute_in_bf16() -> None:
    discriminator, kinds = small((3, 32, 32), reduced=2), dict[int, set[torch.dtype]]()
    for module in discriminator.modules():
        if isinstance(module, Layer):
            module.register_forward_hook(lambda m, args, out: kinds.setdefault(args[0].shape[-1], set()).add(out.dtype))
    images = torch.randn(4, 3, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        critique = discriminator(images)
    full, half = {torch.float32}, {torch.bfloat16}
    assert kinds == {4: full, 8: full, 16: half, 32: half}
    assert critique.scores.dtype == torch.float32
    assert_close(critique.scores, discriminator(images).scores, rtol=0.1, atol=0.1)


def test_double_backward_is_the_derivative_of_the_penalty() -> None:
    discriminator = small((1, 8, 8), width=3, full=3, num_classes=3, group=2).double()
    weights = {name: 2 * p.detach() for name, p in discriminator.named_parameters()}
    direction = {name: torch.randn_like(p) for name, p in weights.items()}
    real, fake = torch.randn(2, 4, 1, 8, 8, dtype=torch.float64)
    label = torch.tensor([0, 1, 2, 0])

    def penalty(given: dict[str, Tensor]) -> Tensor:
        return R1()(Turn(real, fake, lambda images: functional_call(discriminator, given, (images, label)).scores))

    leaves = {name: p.clone().requires_grad_() for name, p in weights.items()}
    gradients = torch.autograd.grad(penalty(leaves), list(leaves.values()), allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, direction.values(), strict=True) if g is not None)
    ahead, behind = ({n: p + sign * 1e-7 * direction[n] for n, p in weights.items()} for sign in (1, -1))
    numeric = (penalty(ahead) - penalty(behind)).detach() / 2e-7
    assert numeric.abs() > 1e-3
    assert_close(slope, numeric, rtol=1e-5, atol=0)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="architecture must be one of"):
        small(architecture="unet")
    with pytest.raises(ValueError, match="group must be at least 2"):
        small(group=1)
