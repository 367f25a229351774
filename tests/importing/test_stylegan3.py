"""A run of a published StyleGAN3: what the formulas make of its weights, or one line of what is not as here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.importing.stylegan3 import width_and_full
from gan_lab.models.stylegan3 import Generator, signals
from gan_lab.sampling.trained import load
from gan_lab.storage.checkpoint import load as load_checkpoint
from gan_lab.wrappers.build import build_network
from tests.importing import files, stylegan3
from tests.importing.test_run import doubles, imported


@pytest.mark.parametrize(("radial", "classes"), [(False, 3), (True, 0)])
def test_it_makes_what_the_formulas_do(tmp_path: Path, radial: bool, classes: int) -> None:
    """At 32 pixels rates grow once, by filters of 24 taps."""
    torch.manual_seed(0)
    settings = {"pixels": 32, "base": 64 * (1 + radial), "most": 8 * (1 + radial)}
    weights = stylegan3.weights(**settings, classes=classes, radial=radial)
    discriminator = files.discriminator({4: 6, 8: 6, 16: 6, 32: 3}, classes=classes)
    path = files.write(tmp_path / "network.pkl", G_ema=weights, D=discriminator)
    state = load_checkpoint(imported(path, tmp_path / "run") / "checkpoints" / "last.pt")
    generator = build_network(state["config"], "generator").eval()  # its filters compute in fp32
    generator.load_state_dict(state["ema"]["generator"])
    seen = state["networks"]["discriminator"]["blocks.0.of_image.conv.weight"]
    assert torch.equal(seen, discriminator["b32.fromrgb.weight"])
    latent, label = torch.randn(2, 6, dtype=torch.float64), torch.arange(2) if classes else None
    expected = stylegan3.images(doubles(weights), latent, label, **settings, radial=radial)
    assert_close(generator(latent.float(), label), expected.float(), rtol=1e-4, atol=1e-5, check_stride=False)


def test_settings_and_a_run_that_samples(tmp_path: Path) -> None:
    weights = stylegan3.weights(16, 48, 6, z=4, w=9, classes=3)
    run = imported(files.write(tmp_path / "network.pkl", G_ema=weights), tmp_path / "run")
    config = load_checkpoint(run / "checkpoints" / "last.pt")["config"]
    generator, discriminator = config["model"]["generator"], config["model"]["discriminator"]
    assert generator["image_shape"] == discriminator["image_shape"] == [3, 16, 16]
    assert (generator["latent_dim"], generator["style_dim"], generator["depth"]) == (4, 9, 2)
    assert (generator["width"], generator["num_classes"], generator["radial"]) == (6, 3, False)
    assert config["overrides"][:2] == ["model=stylegan3", "dataset=folder"]
    assert config["algorithm"]["ema"]["half_life"] == 10_000
    assert load(run, device="cpu").sample(2, seed=5, truncation=0.5).shape == (2, 3, 16, 16)


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize(("pixels", "width", "full"), [(1024, 512, 64), (256, 512, 32), (256, 512, 64), (64, 100, 24)])
def test_channels_tell_the_settings(pixels: int, width: int, full: int, radial: bool) -> None:
    channels = [each.channels for each in signals(pixels, 3, width * (1 + radial), full)][:-1]
    found = width_and_full(channels, pixels, radial, "x")
    assert found[0] == width
    assert [each.channels for each in signals(pixels, 3, width * (1 + radial), found[1])][:-1] == channels


def test_weights_to_begin_with_have_their_names_too() -> None:
    weights = stylegan3.weights(16, 64, 4)
    network = Generator((3, 16, 16), 6, width=4, full=16, style_dim=5)
    network.load_state_dict(network.published_names(weights))
    assert torch.equal(network.synthesis.layers[3].conv.conv.weight, weights["synthesis.L3_36_4.weight"])
    assert network.published_names(network.state_dict()).keys() == network.state_dict().keys()


Weights = dict[str, Tensor]


def without(name: str) -> Callable[[Weights], Weights]:
    return lambda weights: {key: value for key, value in weights.items() if key != name}


def renamed(old: str, new: str) -> Callable[[Weights], Weights]:
    return lambda weights: {key.replace(old, new): value for key, value in weights.items()}


def with_(name: str, value: Tensor) -> Callable[[Weights], Weights]:
    return lambda weights: {**weights, name: value}


NOT_FITTING = [
    (renamed("L3_36_4", "L3_38_4"), "has L3_38_4 where a StyleGAN3 of its size and channels has L3_36_4"),
    (renamed("L14_16_3", "L15_16_3"), "has L15_16_3 where a StyleGAN3 of its size and channels has L14_16_3"),
    (renamed("L14_16_3", "L14_24_3"), r"makes images of 24 pixels \(L14_24_3\)"),
    (renamed("synthesis.L5", "synthesis.M5"), "has 14 layers, not 15 as a StyleGAN3"),
    (with_("synthesis.L2_36_4.up_filter", torch.ones(12) / 12), "L2_36_4.up_filter is not the filter"),
    (with_("synthesis.L2_36_4.down_filter", torch.ones(24) / 24), "L2_36_4.down_filter is not the filter"),
    (with_("synthesis.L2_36_4.weight", torch.ones(9, 4, 3, 3)), r"has \[4, 4, 9, .* do not shrink with the band"),
    (with_("synthesis.L2_36_4.weight", torch.ones(4, 5, 3, 3)), r"L2_36_4.weight makes .* \[4, 5, .* \[4, 4, 3, 3\]"),
    (with_("synthesis.other", torch.ones(2)), "synthesis.other has no place in the network"),
    (without("synthesis.input.affine.weight"), "has no synthesis.input.affine.weight, which a StyleGAN3 has"),
    (without("synthesis.L2_36_4.magnitude_ema"), "has no tensor for synthesis.layers.2.magnitude"),
]


@pytest.mark.parametrize(("change", "said"), NOT_FITTING, ids=[said for _, said in NOT_FITTING])
def test_what_does_not_fit_is_one_line_and_makes_nothing(
    here: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    files.write(here / "network.pkl", G_ema=change(stylegan3.weights(16, 64, 4)))
    assert gan_lab("import", "network.pkl") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "network.pkl: " in line
    assert re.search(said, line), line
    assert [path.name for path in here.iterdir()] == ["network.pkl"]
