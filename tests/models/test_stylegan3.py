"""StyleGAN3: the authors' numbers, and images that move with what moves at the start."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.models.stylegan3 import Generator, Synthesis, signals


@pytest.mark.parametrize(
    ("pixels", "settings", "parameters"),
    [
        (32, {}, 37_768_199),
        (64, {}, 37_768_199),
        (256, {}, 28_472_133),
        (256, {"full": 32}, 23_320_443),
        (1024, {}, 22_313_167),
        (256, {"radial": True}, 18_816_387),
        (256, {"radial": True, "full": 32}, 15_779_565),
        (1024, {"radial": True}, 15_093_151),
    ],
)
def test_parameters_are_those_of_the_authors(pixels: int, settings: dict[str, Any], parameters: int) -> None:
    assert count(pixels, **settings) == parameters


def count(pixels: int, width: int = 512, full: int = 64, radial: bool = False) -> int:
    """Without making them: sums over the layers that `signals` tells of."""
    found = signals(pixels, 3, width * (1 + radial), full)
    first = found[0].channels
    total = (512 * 512 + 512) * 2 + (512 * 4 + 4) + first * first
    for before, after in zip([found[0], *found], found, strict=False):
        size = 1 if radial or after is found[-1] else 3
        total += 512 * before.channels + before.channels + before.channels * after.channels * size**2 + after.channels
    return total


def narrow(radial: bool = False, half_life: float = 2.0) -> Generator:
    torch.manual_seed(0)
    return Generator((3, 32, 32), 16, width=16, full=16, style_dim=16, radial=radial, half_life=half_life)


@pytest.mark.parametrize("radial", [False, True])
def test_its_parameters_are_those_that_are_counted(radial: bool) -> None:
    network = narrow(radial)
    found = signals(32, 3, 16 * (1 + radial), 16)
    expected = 2 * (16 * 16 + 16) + 16 * 4 + 4 + found[0].channels ** 2
    for before, after in zip([found[0], *found], found, strict=False):
        size = 1 if radial or after is found[-1] else 3
        expected += 17 * before.channels + before.channels * after.channels * size**2 + after.channels
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert network.num_ws == 16


def test_layers_are_those_of_the_paper() -> None:
    found = signals(1024, 3, 512, 64)
    assert [each.size for each in found[:-1]] == [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024]
    assert [each.channels for each in found] == [512] * 7 + [323, 203, 128, 81, 51, 32, 32, 3]
    assert [each.size for each in signals(256, 3, 512, 64)][2:6] == [36, 52, 52, 84]
    assert found[0].band == 2
    assert found[-1].band == 512


def moved(network: Generator, latent: torch.Tensor, x: float, turned: bool = False) -> torch.Tensor:
    plane = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]) if turned else torch.eye(3)
    plane[0, 2] = -x
    network.synthesis.input.transform.copy_(plane)
    with torch.no_grad():
        images: torch.Tensor = network.eval()(latent)
    return images


def equivariance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """In dB, of images in [-1, 1], without the border."""
    error = (found - expected)[..., 4:-4, 4:-4].square().mean()
    return float(10 * torch.log10(4 / error))


def trained(network: Generator) -> Generator:
    """What its maps measure is known."""
    network.train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(4, 16))
    return network


def test_the_image_moves_with_its_start() -> None:
    """By a pixel of the image, which is half a sample of the first grid, no worse than by whole samples."""
    network, latent = trained(narrow()), torch.randn(2, 16)
    still = moved(network, latent, 0)
    for pixels in (1, 2, 3):
        assert equivariance(moved(network, latent, pixels / 32)[..., pixels:], still[..., :-pixels]) > 50
    assert equivariance(moved(network, latent, 0, turned=True), still.rot90(1, (2, 3))) < 35  # T does not turn


def test_the_image_of_r_turns_with_its_start() -> None:
    network, latent = trained(narrow(radial=True)), torch.randn(2, 16)
    still = moved(network, latent, 0)
    assert equivariance(moved(network, latent, 0, turned=True), still.rot90(1, (2, 3))) > 50
    assert equivariance(moved(network, latent, 1 / 32)[..., 1:], still[..., :-1]) > 50


def test_maps_are_divided_by_what_they_measure() -> None:
    """With a memory so short that it is of this batch alone."""
    network, latent = narrow(half_life=0.01).train(), torch.randn(2, 16)
    sizes: list[float] = []
    with torch.no_grad():
        network(latent)
        for layer in network.synthesis.layers:
            layer.register_forward_pre_hook(
                lambda layer, given: sizes.append(float(given[0].square().mean() / layer.magnitude))
            )
            layer.conv.register_forward_pre_hook(lambda _, given: sizes.append(float(given[0].square().mean())))
        network.eval()(latent)
    assert sizes[0::2] == pytest.approx([1] * 15, rel=1e-4)
    assert sizes[-1] == pytest.approx(1, rel=1e-4)  # the image's layer has no demodulation to divide in


def test_the_average_of_squares_forgets_half_after_its_half_life() -> None:
    layer = narrow(half_life=20.0).train().synthesis.layers[0]
    before = float(layer.magnitude)
    maps = torch.full((10, 16, 36, 36), 3.0)
    for _ in range(2):  # 20 images
        layer(maps, torch.randn(10, 16))
    assert float(layer.magnitude) == pytest.approx(0.5 * before + 0.5 * 9)
    layer.eval()(maps, torch.randn(10, 16))
    assert float(layer.magnitude) == pytest.approx(5)


def test_styles_are_truncated_and_classes_are_told() -> None:
    network = Generator((1, 16, 16), 8, width=8, full=16, style_dim=8, num_classes=3).eval()
    latent, label = torch.randn(2, 8), torch.tensor([0, 2])
    styles = network.style(latent, label)
    assert styles.shape == (2, 16, 8)
    assert not torch.equal(styles, network.style(latent, label.flip(0)))
    near = network.truncated(styles, 0.5, cutoff=4)
    assert_close(near[:, :4], torch.lerp(network.mapping.average, styles[:, :4], 0.5))
    assert torch.equal(near[:, 4:], styles[:, 4:])
    assert network(latent, label).shape == (2, 1, 16, 16)


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((3, 32, 64), {}, "images are 32x64; StyleGAN3 makes squares of 16, 32, 64"),
        ((3, 28, 28), {}, "images are 28x28"),
        ((3, 8, 8), {}, "images are 8x8"),
        ((3, 16, 16), {"width": 0}, "width and full must be at least 1"),
        ((3, 16, 16), {"half_life": 0}, "half_life must be above 0"),
    ],
)
def test_what_it_refuses(shape: tuple[int, int, int], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Generator(shape, 8, **{"width": 8, "style_dim": 8, **settings})


def test_a_gradient_reaches_every_weight() -> None:
    network = narrow().train()
    network(torch.randn(2, 16)).square().sum().backward()
    assert isinstance(network.synthesis, Synthesis)
    still = [name for name, each in network.named_parameters() if each.grad is None or not each.grad.abs().sum() > 0]
    assert still == []
