"""Samples of a generator with styles: truncated among them, latents left as they are."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.engine.engine import Engine
from gan_lab.models.stylegan2 import Generator
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images


def sampler(cutoff: int | None = None, num_classes: int = 0) -> StyleSampler:
    torch.manual_seed(0)
    network = Generator((1, 8, 8), 6, width=4, style_dim=5, depth=1, num_classes=num_classes)
    nn.init.normal_(network.mapping.average)
    return StyleSampler(network, Normal(6), Engine(device="cpu", precision="fp32"), cutoff)


@pytest.mark.parametrize("n", [1, 3, 70])
def test_a_sample_depends_on_the_seed_and_its_index_alone(n: int) -> None:
    many, few = all_images(sampler(num_classes=3), Request(100, seed=4, truncation=0.7)), sampler(num_classes=3)
    few.AT_ONCE = 32  # type: ignore[misc]
    assert_close(all_images(few, Request(n, seed=4, truncation=0.7)), many[:n])


def test_truncation_is_of_styles() -> None:
    asked = sampler()
    network = asked.network.eval()
    assert isinstance(network, Generator)
    codes = asked.codes(3, 0, truncation=0.5)
    assert torch.equal(codes, asked.codes(3, 0))
    styles = network.style(codes)
    average = network.mapping.average
    made = all_images(asked, Request(3, truncation=0.25))
    assert_close(made, network.synthesise(0.25 * styles + 0.75 * average).detach().clamp(-1, 1))
    assert_close(all_images(asked, Request(3, codes=codes)), network(codes).detach().clamp(-1, 1))
    assert_close(all_images(asked, Request(3, truncation=1.0)), all_images(asked, Request(3)))


def test_layers_from_the_cutoff_on_are_not_truncated() -> None:
    asked = sampler(cutoff=1)
    codes = asked.codes(2, 0)
    full, near = asked.styles(codes, None), asked.styles(codes, None, 0.5)
    assert torch.equal(full[:, 1:], near[:, 1:])
    assert not torch.equal(full[:, 0], near[:, 0])


def test_what_can_be_asked_for() -> None:
    assert sampler().takes == {"codes", "truncation"}
    assert sampler(num_classes=3).takes == {"codes", "truncation", "label"}
    asked = sampler(num_classes=3)
    label = torch.tensor([2, 2, 2, 2])
    made = all_images(asked, Request(4, label=label))
    assert_close(made[2], all_images(asked, Request(4))[2])  # each class in its turn
    assert not torch.equal(made[0], all_images(asked, Request(4))[0])
