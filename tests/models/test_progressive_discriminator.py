"""Progressive GAN's discriminator: its layers by hand, its fade, its classes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, leaky_relu
from torch.testing import assert_close

from gan_lab.models.progressive_discriminator import Block, Discriminator


def small(size: int = 16, **more: Any) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator((3, size, size), **{"width": 8, "full": 8, **more})


def test_by_hand() -> None:
    discriminator = small(8).double()
    for name, parameter in discriminator.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    images, weights = torch.randn(4, 3, 8, 8, dtype=torch.float64), dict(discriminator.trunk.named_parameters())

    def layer(maps: Tensor, name: str) -> Tensor:
        weight = weights[f"{name}.weight"]
        scaled = weight * (2 / weight[0].numel()) ** 0.5
        return conv2d(maps, scaled, weights[f"{name}.bias"], padding=weight.shape[-1] // 2)

    maps = leaky_relu(layer(images, "of_image.1.conv"), 0.2)
    maps = leaky_relu(layer(maps, "blocks.0.layer.conv"), 0.2)
    maps = leaky_relu(avg_pool2d(layer(maps, "blocks.0.down"), 2), 0.2)
    varies = (maps.var(0, correction=0) + 1e-8).sqrt().mean()
    maps = torch.cat([maps, varies.expand(4, 1, 4, 4)], 1)
    rows = leaky_relu(layer(maps, "layer.conv"), 0.2).permute(0, 2, 3, 1).flatten(1)
    features = leaky_relu(rows @ weights["dense.weight"].T * (2 / 128) ** 0.5 + weights["dense.bias"], 0.2)
    scores = features @ discriminator.to_scores.weight.T / 8**0.5 + discriminator.to_scores.bias
    found = discriminator(images)
    assert_close(found.scores, scores[:, 0])
    assert found.features is not None
    assert_close(found.features, features)
    assert found.class_logits is None


def test_a_fade_begins_as_it_was_and_ends_without_it() -> None:
    discriminator, images = small(), torch.randn(4, 3, 16, 16)
    trunk = discriminator.trunk
    after = discriminator(images).scores
    trunk.grow(1, False)
    before = discriminator(avg_pool2d(images, 2)).scores
    trunk.grow(2, True)
    trunk.share.fill_(0.0)
    assert torch.equal(discriminator(images).scores, before)
    trunk.share.fill_(1.0)
    assert torch.equal(discriminator(images).scores, after)


@pytest.mark.parametrize(
    ("share", "still"), [(0.0, {"blocks.1.", "of_image.2."}), (0.5, set()), (1.0, {"of_image.1."})]
)
def test_what_learns_in_a_fade(share: float, still: set[str]) -> None:
    discriminator = small(32)
    trunk = discriminator.trunk
    trunk.grow(2, True)
    trunk.share.fill_(share)
    discriminator(torch.randn(4, 3, 16, 16)).scores.sum().backward()
    for name, parameter in trunk.named_parameters():
        if name.startswith(("blocks.2.", "of_image.3.", "of_image.0.")):
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.any()) != name.startswith(tuple(still) or "-"), name


def test_classes_are_told_and_labels_not_looked_at() -> None:
    discriminator, images = small(num_classes=5), torch.randn(4, 3, 16, 16)
    found = discriminator(images, torch.tensor([0, 1, 2, 3]))
    assert found.class_logits is not None
    assert found.class_logits.shape == (4, 5)
    assert torch.equal(found.scores, discriminator(images).scores)


def test_a_filter_before_the_halving_convolution() -> None:
    block = Block(4, 3, taps=[1, 2, 1])
    line = torch.tensor([0.25, 0.5, 0.25])
    seen: list[Tensor] = []
    block.down.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    block.layer.register_forward_hook(lambda module, args, out: seen.append(out.clone()))
    block(torch.randn(2, 4, 8, 8))
    kernel = torch.outer(line, line).expand(4, 1, 3, 3)
    assert_close(seen[1], conv2d(seen[0], kernel, padding=1, groups=4))
