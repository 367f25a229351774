"""StyleGAN2's generator: the published counts, which style goes where, what is mixed, added up and kept in fp32."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gan_lab.layers.fir import Upsample
from gan_lab.layers.modulated_convolution import ModulatedConv2d
from gan_lab.layers.noise import Noise
from gan_lab.losses.path_length_style import StylePathLength
from gan_lab.losses.regularizers import Turn
from gan_lab.models.stylegan2 import Generator
from gan_lab.models.stylegan2_discriminator import Discriminator
from gan_lab.models.stylegan2_synthesis import StyleLayer

ARCHITECTURES = ("skip", "resnet", "orig")


def small(shape: tuple[int, int, int] = (3, 16, 16), **more: Any) -> Generator:
    torch.manual_seed(0)
    return Generator(shape, 6, **{"width": 8, "full": 8, "style_dim": 5, "depth": 2, **more})


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


F: dict[str, Any] = {}
AUTO: dict[str, Any] = {"full": 32, "depth": 2}
COUNTS = [
    (32, F, 21_523_475, 21_507_073),
    (64, F, 27_032_600, 26_488_833),
    (256, F, 30_034_338, 28_864_129),
    (1024, F, 30_370_060, 29_012_513),
    (32, AUTO, 19_947_539, 21_507_073),
    (64, AUTO, 22_243_608, 23_407_361),
    (256, AUTO, 23_191_522, 24_001_089),
    (1024, {"depth": 2}, 28_794_124, 29_012_513),
    (256, {"full": 32}, 24_767_458, 24_001_089),
    (32, {"depth": 2, "architecture": "orig"}, 19_947_539, 20_720_641),
    (32, {"depth": 2, "architecture": "orig", "num_classes": 10}, 20_215_315, 23_089_664),
]


@pytest.mark.parametrize(("size", "settings", "ours", "theirs"), COUNTS)
def test_published_counts(size: int, settings: dict[str, Any], ours: int, theirs: int) -> None:
    """Of the networks of stylegan2-ada-pytorch: config F, auto, paper256, cifar plain and with classes, whose
    discriminator is `orig`, but not its generator."""
    of_generator = {key: value for key, value in settings.items() if key != "architecture"}
    of_discriminator = {key: value for key, value in settings.items() if key != "depth"}
    with torch.device("meta"):
        generator = Generator((3, size, size), 512, **of_generator)
        discriminator = Discriminator((3, size, size), **of_discriminator)
    assert (parameters(generator), parameters(discriminator)) == (ours, theirs)
    assert generator.num_ws == {32: 8, 64: 10, 256: 14, 1024: 18}[size]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("shape", "num_ws"), [((1, 28, 28), 6), ((4, 32, 64), 8), ((3, 24, 16), 6), ((1, 8, 8), 4)], ids=str
)
def test_sizes(shape: tuple[int, int, int], num_ws: int, architecture: str) -> None:
    """Not square, not of 4 pixels at the start, gray, with alpha."""
    generator = small(shape, architecture=architecture, num_classes=3)
    styles = generator.style(torch.randn(3, 6), torch.tensor([0, 1, 2]))
    assert styles.shape == (3, num_ws, 5)
    assert generator.synthesise(styles).shape == (3, *shape)


def test_which_style_goes_where() -> None:
    """Each convolution has its own, an image that of the next resolution's first convolution."""
    generator = small((3, 32, 32)).eval()
    seen: list[int] = []
    for module in generator.modules():
        if isinstance(module, ModulatedConv2d):
            module.register_forward_pre_hook(lambda module, args: seen.append(int(args[1][0, 0])))
    generator.synthesise(torch.arange(8.0)[None, :, None].expand(1, 8, 5))
    assert seen == [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7]


def test_the_image_is_the_sum_of_all_resolutions() -> None:
    generator = small().eval()
    expected: Tensor | None = None
    for index, block in enumerate(generator.synthesis.blocks):
        nn.init.zeros_(block.to_image.conv.conv.weight)
        nn.init.normal_(block.to_image.bias)
        flat = block.to_image.bias[None, :, None, None].expand(2, 3, 4 << index, 4 << index)
        expected = flat if expected is None else Upsample()(expected) + flat
    assert_close(generator(torch.randn(2, 6)), expected, check_stride=False)


@pytest.mark.parametrize("architecture", ["orig", "resnet"])
def test_the_last_map_alone_is_the_image(architecture: str) -> None:
    generator = small(architecture=architecture)
    assert [block.to_image is not None for block in generator.synthesis.blocks] == [False, False, True]


def test_a_style_layer_by_hand() -> None:
    """Noise, then the bias, then the activation; a gain behind it."""
    torch.manual_seed(0)
    layer = StyleLayer(4, 3, 5, (6, 6)).double().eval()
    maps, style = torch.randn(2, 4, 6, 6, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    nn.init.normal_(layer.bias)
    nn.init.constant_(layer.noise.strength, 0.5)
    convolved = layer.conv(maps, style, torch.zeros((), dtype=torch.float64))
    inside = convolved + 0.5 * layer.noise.picture + layer.bias[:, None, None]
    assert_close(layer(maps, style, 3.0), 3 * math.sqrt(2) * leaky_relu(inside, 0.2))


def test_a_residual_block_halves_the_variance_of_both_ways() -> None:
    block = small(architecture="resnet").double().eval().synthesis.blocks[1]
    maps, styles = torch.randn(2, 8, 4, 4, dtype=torch.float64), torch.randn(2, 3, 5, dtype=torch.float64)
    inside = block.layer(block.up(maps, styles[:, 0]), styles[:, 1])
    conv, up = block.shortcut
    expected = math.sqrt(0.5) * inside + up(conv(maps))
    assert_close(block(maps, None, styles)[0], expected)
    assert conv.scale == math.sqrt(0.5 / 8)


def rigged(monkeypatch: pytest.MonkeyPatch, generator: Generator, where: float, whether: float) -> tuple[Tensor, ...]:
    """Styles in training, when the two draws of a batch come out like this; both latents."""
    first, second = torch.randn(2, 3, 6).requires_grad_().unbind()
    draws = iter([torch.tensor(where), torch.tensor(whether)])
    with monkeypatch.context() as patch:
        patch.setattr(torch, "rand", lambda *size, **more: next(draws))
        patch.setattr(torch, "randn_like", lambda latent: second)
        return generator.train().style(first), first, second


@pytest.mark.parametrize(("where", "cut"), [(0.0, 1), (0.5, 3), (0.999, 5)])
def test_layers_from_the_cut_on_have_the_other_latent(monkeypatch: pytest.MonkeyPatch, where: float, cut: int) -> None:
    styles, first, second = rigged(monkeypatch, small(), where, whether=0.89)
    for layer in range(6):
        by = torch.autograd.grad(styles[:, layer].sum(), (first, second), retain_graph=True, materialize_grads=True)
        assert [bool(each.any()) for each in by] == [layer < cut, layer >= cut]


def test_one_batch_in_ten_is_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = small()
    styles, first, _ = rigged(monkeypatch, generator, 0.5, whether=0.91)
    assert_close(styles, generator.eval().style(first))
    assert torch.equal(styles[:, 0], styles[:, 5])


def test_what_is_mixed_in_is_not_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = small(style_decay=0.5)
    _, first, _ = rigged(monkeypatch, generator, 0.5, whether=0.0)
    assert_close(generator.mapping.average, 0.5 * generator.eval().style(first)[:, 0].mean(0).detach())


def test_truncation_of_the_first_layers() -> None:
    generator, styles = small(), torch.randn(2, 6, 5)
    generator.mapping.average.fill_(3.0)
    made = generator.truncated(styles, 0.25, cutoff=2)
    assert_close(made[:, :2], 0.25 * styles[:, :2] + 0.75 * 3)
    assert torch.equal(made[:, 2:], styles[:, 2:])
    assert_close(generator.truncated(styles, 0.25), 0.25 * styles + 0.75 * 3)


def strong(generator: Generator) -> Generator:
    for module in generator.modules():
        if isinstance(module, Noise) and module.kind != "none":
            nn.init.constant_(module.strength, 0.5)
    return generator


@pytest.mark.parametrize(("noise", "changes"), [("random", True), ("const", False), ("none", False)])
def test_noise(noise: str, changes: bool) -> None:
    generator, latent = strong(small(noise=noise, mixing=0.0)), torch.randn(2, 6)
    assert torch.equal(generator(latent), generator(latent)) != changes
    generator.eval()
    assert torch.equal(generator(latent), generator(latent))


def test_noise_starts_without_strength() -> None:
    generator, latent = small(mixing=0.0), torch.randn(2, 6)
    assert torch.equal(generator(latent), generator(latent))
    assert "synthesis.blocks.0.layer.noise.picture" in generator.state_dict()


def test_every_parameter_learns() -> None:
    for architecture in ARCHITECTURES:
        generator = small(num_classes=3, architecture=architecture)
        generator(torch.randn(9, 6), torch.arange(9) % 3).square().sum().backward()
        for name, parameter in generator.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.count_nonzero() > 0, name


def test_the_largest_resolutions_compute_in_bf16() -> None:
    """Of 4, 8, 16 and 32 pixels the two largest; images and everything about styles stay in fp32."""
    generator, kinds = small((3, 32, 32), reduced=2), dict[int, set[torch.dtype]]()
    for module in generator.modules():
        if isinstance(module, StyleLayer):
            module.register_forward_hook(lambda m, args, out: kinds.setdefault(out.shape[-1], set()).add(out.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        styles = generator.style(torch.randn(2, 6))
        images = generator.synthesise(styles)
    full, half = {torch.float32}, {torch.bfloat16}
    assert kinds == {4: full, 8: full, 16: half, 32: half}
    assert styles.dtype == images.dtype == torch.float32
    assert_close(images, generator.synthesise(styles), rtol=0.1, atol=0.1)


def test_the_first_map_is_never_in_bf16() -> None:
    assert [block.reduced for block in small((3, 32, 32), reduced=9).synthesis.blocks] == [False, True, True, True]
    assert not any(block.reduced for block in small(reduced=0).synthesis.blocks)


def test_values_are_clamped_in_bf16_alone() -> None:
    generator = small(clamp=0.25, mixing=0.0)
    latent, seen = torch.randn(2, 6), list[Tensor]()
    generator.synthesis.blocks[2].layer.register_forward_hook(lambda module, args, out: seen.append(out))
    generator(latent)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        generator(latent)
    assert seen[0].abs().max() > 1
    assert seen[1].abs().max() == 0.25


def test_memory_layouts_agree() -> None:
    generator, latent = small().double().eval(), torch.randn(2, 6, dtype=torch.float64)
    images = generator(latent)
    assert_close(generator.to(memory_format=torch.channels_last)(latent), images, check_stride=False)


def test_double_backward_is_the_derivative_of_the_path_length() -> None:
    generator = strong(small((1, 8, 8), width=3, full=3)).double()
    weights = {name: p.detach() for name, p in generator.named_parameters()}
    direction = {name: torch.randn_like(p) for name, p in weights.items()}
    latent, images = torch.randn(4, 6, dtype=torch.float64), torch.zeros(4, 1, 8, 8)

    class Bound:
        def __init__(self, given: dict[str, Tensor]) -> None:
            self.given = given

        def style(self, *args: Any) -> Tensor:
            return self.call("style", *args)

        def synthesise(self, *args: Any) -> Tensor:
            return self.call("synthesise", *args)

        def call(self, name: str, *args: Any) -> Tensor:
            holder = Method(generator, name)
            made: Tensor = functional_call(holder, {f"network.{key}": p for key, p in self.given.items()}, args)
            return made

    def penalty(given: dict[str, Tensor]) -> Tensor:
        torch.manual_seed(1)
        mover: Any = Bound(given)
        return StylePathLength(decay=1e-12)(Turn(images, images, lambda x: x, latent=latent, mover=mover))

    leaves = {name: p.clone().requires_grad_() for name, p in weights.items()}
    gradients = torch.autograd.grad(penalty(leaves), list(leaves.values()), allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, direction.values(), strict=True) if g is not None)
    ahead, behind = ({n: p + sign * 1e-7 * direction[n] for n, p in leaves.items()} for sign in (1, -1))
    numeric = (penalty(ahead) - penalty(behind)).detach() / 2e-7
    assert numeric.abs() > 1e-3
    assert_close(slope, numeric, rtol=1e-5, atol=0)


class Method(nn.Module):
    """A method of a network as a module's call."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network, self.name = network, name

    def forward(self, *args: Any) -> Tensor:
        made: Tensor = getattr(self.network, self.name)(*args)
        return made


def test_refusals() -> None:
    with pytest.raises(ValueError, match="architecture must be one of skip, resnet, orig, not 'unet'"):
        small(architecture="unet")
    with pytest.raises(ValueError, match="noise must be one of random, const, none, not 'white'"):
        small(noise="white")
    with pytest.raises(ValueError, match=r"mixing must lie in \[0, 1\], not 2"):
        small(mixing=2)
    with pytest.raises(ValueError, match="width and full must be at least 1, not 0 and 8"):
        small(width=0)
    with pytest.raises(ValueError, match="does not halve down"):
        small((3, 89, 109))
