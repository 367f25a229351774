"""Samples of a generator that has not grown yet: the same images, every pixel repeated."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d
from torch.testing import assert_close

from gan_lab.algorithms.enlarged_sampler import EnlargedSampler, EnlargedStyleSampler
from gan_lab.algorithms.latents import Normal
from gan_lab.engine.engine import Engine
from gan_lab.layers.in_stages import enlarge
from gan_lab.models import progressive, stylegan
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images


def of(level: int) -> list[EnlargedSampler]:
    torch.manual_seed(0)
    engine = Engine(device="cpu", precision="fp32")
    plain = progressive.Generator((3, 32, 16), 6, width=4)
    styled = stylegan.Generator((3, 32, 16), 6, width=4, style_dim=5, depth=1)
    nn.init.normal_(styled.mapping.average)
    plain.grow(level, False)
    styled.synthesis.grow(level, False)
    return [EnlargedSampler(plain, Normal(6), engine), EnlargedStyleSampler(styled, Normal(6), engine, cutoff=2)]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_they_have_the_whole_size(level: int) -> None:
    times = 2 ** (2 - level)
    for sampler in of(level):
        made = all_images(sampler, Request(3))
        assert made.shape == (3, 3, 32, 16)
        native = sampler.network(sampler.codes(3, 0)).detach().clamp(-1, 1)
        assert_close(avg_pool2d(made, times), native)
        assert torch.equal(made, enlarge(made[:, :, ::times, ::times], times))


def test_styles_are_truncated_first() -> None:
    sampler = of(1)[1]
    near, far = (all_images(sampler, Request(3, truncation=psi)) for psi in (0.5, 1.0))
    assert (near - far).abs().max() > 0.01
    assert_close(far, all_images(sampler, Request(3)))
