"""Back from images to codes, where these are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.engine.engine import Engine
from gan_lab.inversion.distance import Distance, squares
from gan_lab.inversion.noise_maps import NoiseMaps, resemblance
from gan_lab.inversion.pivotal import tune
from gan_lab.inversion.projection import likeliest, project, rate
from gan_lab.models import cdcgan, dcgan, stylegan2
from gan_lab.sampling.space import Space

CPU = Engine(device="cpu", precision="fp32")


def untrained(network: nn.Module, dim: int = 16) -> Space:
    """Of random weights, large enough that images differ, and the statistics of its own maps."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, 0, 0.15)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    label = torch.arange(256) % getattr(network, "num_classes", 1)
    network.train()(torch.randn(256, dim), label)
    return NoiseSampler(network.eval().requires_grad_(False), Normal(dim), CPU).space()


def styled(noise: str = "random") -> Space:
    torch.manual_seed(0)
    network = stylegan2.Generator((1, 16, 16), 6, width=4, full=8, style_dim=5, depth=1, noise=noise)
    for name, parameter in network.named_parameters():
        if name.endswith("strength"):
            nn.init.constant_(parameter, 0.3)
        if "to_image.conv.conv" in name:
            parameter.data *= 0.1
    return StyleSampler(network.requires_grad_(False), Normal(6), CPU).space()


def test_an_untrained_generator_is_inverted() -> None:
    """To below 1e-6 in 200 steps, from a single start."""
    torch.manual_seed(0)
    space = untrained(dcgan.Generator((1, 16, 16), 16, 8))
    wanted = space.images(space.codes(3, 5))
    found = project(space, wanted, None, Distance(), 200)
    assert squares(found.images, wanted).max() < 1e-6
    assert squares(wanted.mean(0, keepdim=True), wanted).min() > 1e-3
    assert found.curve.shape == (200, 3)
    assert_close(found.distance, squares(found.images, wanted))
    assert_close(space.images(found.codes), found.images)


def test_starts_go_side_by_side_and_the_best_is_taken() -> None:
    torch.manual_seed(0)
    space = untrained(dcgan.Generator((1, 16, 16), 16, 4))
    wanted = space.images(space.codes(2, 5))
    several = project(space, wanted, None, Distance(), 10, starts=3)
    alone = [project(space, wanted[at : at + 1], None, Distance(), 10, starts=3 * (at + 1)) for at in range(2)]
    assert_close(several.distance[0], alone[0].distance[0], rtol=1e-3, atol=0)  # its starts are the first three
    assert (
        alone[1].distance[0] <= several.distance[1] * 1.001
    )  # of which three are those that it had among two pictures
    assert_close(several.curve[-1], several.distance, rtol=0.5, atol=0)


def test_codes_stay_where_codes_lie() -> None:
    """A picture that no code makes pulls them out."""
    torch.manual_seed(0)
    space = untrained(dcgan.Generator((1, 16, 16), 16, 4))
    found = project(space, torch.ones(1, 1, 16, 16), None, Distance(), 100)
    assert found.codes.norm() <= 16**0.5 + 3 * 0.5**0.5 + 1e-4


def test_the_class_is_found() -> None:
    torch.manual_seed(0)
    space = untrained(cdcgan.Generator((1, 16, 16), 16, 8, num_classes=4))
    label = torch.tensor([2, 0, 3])
    wanted = space.images(space.codes(3, 9), label)
    assert torch.equal(likeliest(space, wanted, 4, Distance(), 40, 0, lambda step: None), label)


def test_among_styles_from_their_average() -> None:
    space = styled("none")
    begun, far = space.beginnings(2, 0)
    drawn = space.vectors(space.codes(10_000, 0))
    assert_close(begun, drawn.mean(0).expand(2, 1, -1))
    assert_close(far, float((drawn - drawn.mean(0)).norm(dim=1).square().mean().sqrt()))
    wanted = space.images(space.codes(2, 3))
    found = project(space, wanted, None, Distance(), 150, noise=True)
    assert found.codes.shape == (2, space.layers, 5)
    assert_close(found.codes, found.codes[:, :1].expand_as(found.codes))
    assert (found.distance < 0.1 * found.curve[0]).all()
    assert not found.noise


def test_maps_of_noise_are_found_and_put_back() -> None:
    space = styled()
    before = {name: value.clone() for name, value in space.network.state_dict().items()}
    wanted = space.images(space.codes(2, 3)) + 0.1 * torch.randn(2, 1, 16, 16)
    found = project(space, wanted, None, Distance(), 30, noise=True)
    assert len(found.noise) == 5
    for name, value in space.network.state_dict().items():
        assert torch.equal(value, before[name])
    for each in found.noise.values():
        assert_close(each.mean((2, 3)), torch.zeros(2, 1), rtol=0, atol=1e-5)
        assert_close(each.square().mean((2, 3)), torch.ones(2, 1))
    assert not torch.equal(*next(iter(found.noise.values())))
    still = project(space, wanted, None, Distance(), 30, noise=False)
    assert not still.noise


def test_what_resembles_itself_is_punished() -> None:
    torch.manual_seed(0)
    white = torch.randn(1, 1, 64, 64)
    stripes = white.clone()
    stripes[..., 1::2] = stripes[..., ::2]
    assert resemblance(stripes) > 5 * resemblance(white)
    flat = torch.ones(2, 1, 16, 16)  # 1 to either side, and of the halved map, which is 2, four each
    assert_close(resemblance(flat), torch.full((2,), 2.0 + 2 * 16.0))
    assert_close(resemblance(flat[..., :4, :4]), torch.full((2,), 2.0))


def test_maps_begin_as_the_networks_own() -> None:
    space = styled()
    maps = NoiseMaps(space.network, 3)
    codes = space.codes(3, 0)
    with torch.no_grad(), maps.in_place():
        images = space.made(codes)
    assert_close(images.clamp(-1, 1), space.images(codes))
    assert maps.penalty().shape == (3,)


def test_the_rate_rises_and_falls() -> None:
    assert_close([rate(share) for share in (0.0, 0.025, 0.05, 0.5, 0.75, 0.875)], [0.0, 0.5, 1.0, 1.0, 1.0, 0.5])
    assert rate(0.999) < 1e-3


@pytest.mark.parametrize("space", [lambda: untrained(dcgan.Generator((1, 16, 16), 16, 4)), styled])
def test_a_tuned_generator_makes_the_pictures(space: object) -> None:
    torch.manual_seed(0)
    made: Space = space()  # type: ignore[operator]
    codes = made.codes(2, 0)
    wanted = made.images(codes.flip(0))
    before = {name: value.clone() for name, value in made.network.named_buffers()}
    apart = squares(made.images(codes), wanted)
    images = tune(made, codes, None, wanted, Distance(), 60)
    assert (squares(images, wanted) < 0.8 * apart).all()
    assert_close(images, made.images(codes))
    assert all(torch.equal(value, before[name]) for name, value in made.network.named_buffers())


def test_a_distance_of_pixels_and_more() -> None:
    one, other = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    other[1] = 3

    def see(made: Tensor, wanted: Tensor, label: Tensor | None) -> Tensor:
        return torch.tensor([10.0, 20.0])

    assert Distance()(one, other).tolist() == [1.0, 9.0]
    assert Distance(see, "more")(one, other).tolist() == [11.0, 29.0]
    assert (Distance().name, Distance(see, "more").name) == ("pixels alone", "pixels and more")
