"""StyleGAN's networks: the published counts, what a layer is made of, which style goes where, what a fade and mixing
are of networks that grow."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, instance_norm, interpolate, leaky_relu
from torch.testing import assert_close

from gan_lab.layers.in_stages import enlarge
from gan_lab.layers.noise import Noise
from gan_lab.models.stylegan import Generator
from gan_lab.models.stylegan_discriminator import Discriminator
from gan_lab.models.stylegan_synthesis import StyleLayer

COUNTS = [(32, 22_841_356, 20_726_785), (64, 25_137_935, 22_498_049)]
COUNTS += [(256, 26_086_229, 23_052_353), (1024, 26_219_627, 23_087_249)]


def small(shape: tuple[int, int, int] = (3, 16, 16), **more: Any) -> Generator:
    torch.manual_seed(0)
    return Generator(shape, 6, **{"width": 8, "full": 8, "style_dim": 5, "depth": 2, **more})


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("size", "ours", "theirs"), COUNTS)
def test_published_counts(size: int, ours: int, theirs: int) -> None:
    with torch.device("meta"):
        generator, discriminator = Generator((3, size, size), 512), Discriminator((3, size, size))
    assert (parameters(generator), parameters(discriminator)) == (ours, theirs)
    assert parameters(generator.mapping) == 2_101_248
    assert generator.num_ws == {32: 8, 64: 10, 256: 14, 1024: 18}[size]


def test_a_doubling_layer_by_hand() -> None:
    """Pixels repeated, convolved, smoothed; noise, bias, activation, and only then the statistics of the style."""
    torch.manual_seed(0)
    layer = small().double().eval().synthesis.layers[2]
    assert isinstance(layer, StyleLayer)
    maps, style = torch.randn(2, 8, 4, 4, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    nn.init.normal_(layer.bias)
    nn.init.normal_(layer.noise.strength)
    weight = layer.conv[0].weight * (2 / 72) ** 0.5  # type: ignore[index]
    line = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    convolved = conv2d(interpolate(maps, scale_factor=2.0), weight, padding=1)
    smoothed = conv2d(convolved, torch.outer(line, line).expand(8, 1, 3, 3), padding=1, groups=8)
    inside = leaky_relu(smoothed + layer.noise.strength * layer.noise.picture + layer.bias[:, None, None], 0.2)
    scale, shift = layer.norm.affine(style)[:, :, None, None].chunk(2, 1)
    assert_close(layer(maps, style), instance_norm(inside, eps=1e-8) * (scale + 1) + shift)


def test_the_constant_starts_at_one() -> None:
    constant = small().synthesis.constant
    assert torch.equal(constant(torch.randn(3, 8, 5)), torch.ones(3, 8, 4, 4))


def test_which_style_goes_where() -> None:
    """Each layer has its own, in order; those of sizes that are not there yet have none."""
    generator = small((3, 32, 32)).eval()
    seen: list[int] = []
    for module in generator.modules():
        if isinstance(module, StyleLayer):
            module.register_forward_pre_hook(lambda module, args: seen.append(int(args[1][0, 0])))
    styles = torch.arange(8.0)[None, :, None].expand(1, 8, 5)
    generator.synthesise(styles)
    assert seen == [*range(8)]
    seen.clear()
    generator.synthesis.grow(1, False)
    assert generator.synthesise(styles).shape == (1, 3, 8, 8)
    assert seen == [*range(4)]


def test_a_fade_begins_as_it_was_and_ends_without_it() -> None:
    generator, latent = small().eval(), torch.randn(3, 6)
    synthesis = generator.synthesis
    after = generator(latent)
    synthesis.grow(1, False)
    before = generator(latent)
    synthesis.grow(2, True)
    synthesis.share.fill_(0.0)
    assert torch.equal(generator(latent), enlarge(before))
    synthesis.share.fill_(1.0)
    assert torch.equal(generator(latent), after)
    synthesis.share.fill_(0.25)
    assert_close(generator(latent), 0.75 * enlarge(before) + 0.25 * after)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_cut_lies_among_the_layers_that_there_are(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By gradient: layers before it depend on the first latent alone, from it on on the second alone."""
    generator = small().train()
    generator.synthesis.grow(level, False)
    for where, cut in ((0.0, 1), (0.999, 2 * level + 1)):
        first, second = torch.randn(2, 3, 6).requires_grad_().unbind()
        draws = iter([torch.tensor(where), torch.tensor(0.89)])
        with monkeypatch.context() as patch:
            patch.setattr(torch, "rand", lambda *size, draws=draws, **more: next(draws))
            patch.setattr(torch, "randn_like", lambda latent, second=second: second)
            styles = generator.style(first)
        for layer in range(2 * level + 2):
            by = torch.autograd.grad(styles[:, layer].sum(), (first, second), retain_graph=True, materialize_grads=True)
            assert [bool(each.any()) for each in by] == [layer < cut, layer >= cut]


def test_truncation_of_the_first_layers() -> None:
    generator, styles = small(), torch.randn(2, 6, 5)
    generator.mapping.average.fill_(3.0)
    made = generator.truncated(styles, 0.25, cutoff=2)
    assert_close(made[:, :2], 0.25 * styles[:, :2] + 0.75 * 3)
    assert torch.equal(made[:, 2:], styles[:, 2:])


def test_a_class_has_a_vector_that_is_normalised_with_the_latent() -> None:
    generator, latent, label = small(num_classes=3).eval(), torch.randn(2, 6), torch.tensor([2, 0])
    assert generator.of_label is not None
    expected = generator.mapping(torch.cat([latent, generator.of_label.weight[label]], 1))
    assert torch.equal(generator.style(latent, label)[:, 3], expected)
    nn.init.zeros_(generator.of_label.weight)
    assert torch.equal(generator.style(latent, label), generator.style(latent, label.flip(0)))
    with pytest.raises(ValueError, match="knows 3 classes"):
        generator.style(latent)


def test_every_parameter_learns() -> None:
    generator = small(num_classes=3)
    generator(torch.randn(9, 6), torch.arange(9) % 3).square().sum().backward()
    for name, parameter in generator.named_parameters():
        if name.startswith(("synthesis.to_image.0", "synthesis.to_image.1")):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.count_nonzero() > 0, name


def test_noise_is_drawn_in_training_and_stored_for_evaluation() -> None:
    generator, latent = small(mixing=0.0), torch.randn(2, 6)
    for module in generator.modules():
        if isinstance(module, Noise):
            nn.init.constant_(module.strength, 0.5)
    assert not torch.equal(generator(latent), generator(latent))
    assert torch.equal(generator.eval()(latent), generator(latent))


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"mixing must lie in \[0, 1\], not 2"):
        small(mixing=2)
    with pytest.raises(ValueError, match="does not halve down"):
        small((3, 89, 109))


def judge(**more: Any) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator((3, 16, 16), **{"width": 8, "full": 8, **more})


def test_the_label_picks_its_score() -> None:
    discriminator, images = judge(num_classes=5), torch.randn(4, 3, 16, 16)
    label = torch.tensor([0, 3, 3, 1])
    found = discriminator(images, label)
    assert found.features is not None
    every: Tensor = discriminator.to_scores(found.features)
    assert torch.equal(found.scores, every[torch.arange(4), label])
    assert judge()(images).scores.shape == (4,)
    with pytest.raises(ValueError, match="knows 5 classes"):
        discriminator(images)


def test_it_is_smoothed_before_it_halves() -> None:
    smooth = judge().trunk.blocks[1].smooth
    line = torch.tensor([0.25, 0.5, 0.25])
    assert_close(smooth.kernel[0, 0], torch.outer(line, line))
