"""Where codes lie and are moved: latents z, styles w."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.enlarged_sampler import EnlargedStyleSampler
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.latents import Normal, Uniform
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.models import stylegan, stylegan2
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images

CPU = Engine(device="cpu", precision="fp32")


class Halves(nn.Module):
    """Latents of two chunks, of 2 and 3 numbers, times 0.1 as images of a row."""

    chunks = (2, 3)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        return 0.1 * latent[:, None, None]


def styled(num_classes: int = 0, attributes: dict[str, float] | None = None) -> StyleSampler:
    torch.manual_seed(0)
    network = stylegan2.Generator((1, 8, 8), 6, width=4, full=8, style_dim=5, depth=2, num_classes=num_classes)
    nn.init.normal_(network.mapping.average)
    if attributes:
        network.attributes = attributes  # type: ignore[assignment]
    return StyleSampler(network, Normal(6), CPU)


@pytest.mark.parametrize("truncation", [None, 0.5])
def test_codes_of_a_seed_make_the_images_of_that_seed(truncation: float | None) -> None:
    for sampler in (NoiseSampler(Halves(), Normal(5), CPU), styled()):
        space = sampler.space(truncation)
        assert_close(space.images(space.codes(3, 7)), all_images(sampler, Request(3, 7, truncation=truncation)))


def test_a_style_knows_its_class() -> None:
    sampler = styled(num_classes=3)
    space = sampler.space()
    assert space.num_classes == 0
    label = torch.tensor([2, 0])
    assert_close(space.images(space.codes(2, 7, label)), all_images(sampler, Request(2, 7, label=label)))
    assert_close(space.images(space.codes(2, 7)), all_images(sampler, Request(2, 7)))  # each class in turn


def test_a_style_that_was_asked_for_nothing_has_attributes_as_often_as_the_data() -> None:
    sampler = styled(2, {"red": 0.9, "round": 0.1})
    assert_close(sampler.space().images(sampler.space().codes(6, 7)), all_images(sampler, Request(6, 7)))


def test_the_spaces_say_what_they_are() -> None:
    z, w = NoiseSampler(Halves(), Uniform(5), CPU).space(), styled().space()
    assert (z.name, z.dim, z.layers, z.curve) == ("z", 5, 2, "lerp")
    assert (w.name, w.dim, w.layers, w.curve) == ("w", 5, w.network.num_ws, "lerp")
    assert NoiseSampler(Halves(), Normal(5), CPU).space().curve == "slerp"


def test_there_and_back_is_where_it_was() -> None:
    for sampler in (NoiseSampler(Halves(), Normal(5), CPU), styled()):
        space = sampler.space()
        codes, by = space.codes(4, 1), torch.randn(5)
        for layers in (None, [1]):
            there = space.moved(codes, by, layers)
            assert not torch.equal(there, codes)
            assert_close(space.moved(there, -by, layers), codes)


def test_layers_take_what_is_theirs() -> None:
    z, w = NoiseSampler(Halves(), Normal(5), CPU).space(), styled().space()
    assert_close(z.swapped(torch.zeros(1, 5), torch.ones(1, 5), [1]), torch.tensor([[0.0, 0, 1, 1, 1]]))
    swapped = w.swapped(torch.zeros(1, w.layers, 5), torch.ones(1, w.layers, 5), [0, 2])
    assert swapped[0, :, 0].tolist() == [1.0, 0.0, 1.0, *[0.0] * (w.layers - 3)]
    with pytest.raises(ConfigError, match=r"layers: \[9\] are not some of the 2 that there are, 0 to 1"):
        z.swapped(torch.zeros(1, 5), torch.ones(1, 5), [9])


def test_one_place_has_no_layers() -> None:
    space = NoiseSampler(nn.Identity(), Normal(5), CPU).space()
    with pytest.raises(ConfigError, match="layers: what this generator starts from enters it in one place"):
        space.swapped(torch.zeros(1, 5), torch.ones(1, 5), [0])


def test_a_growing_generator_makes_images_of_the_size_of_the_data() -> None:
    network = stylegan.Generator((1, 16, 16), 6, width=4, full=8, style_dim=5, depth=1)
    network.synthesis.grow(1, False)
    space = EnlargedStyleSampler(network, Normal(6), CPU).space()
    assert space.images(space.codes(2, 0)).shape == (2, 1, 16, 16)


def test_a_gradient_flows_back_to_codes() -> None:
    for sampler in (NoiseSampler(Halves(), Normal(5), CPU), styled()):
        space = sampler.space()
        codes = space.codes(2, 0).requires_grad_(True)
        (gradient,) = torch.autograd.grad(space.made(codes).square().sum(), codes)
        assert gradient.abs().sum() > 0


def test_images_from_images_have_no_space() -> None:
    with pytest.raises(ConfigError, match="run: this generator has no latents: what it makes follows from what it is"):
        InputSampler(nn.Identity(), CPU).space()
