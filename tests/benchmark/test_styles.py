"""Games with styles without plug-ins against ours: layers and rounds are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.benchmark.styles import GroupedConv2d, PlainActivation, PlainStyle, Resampling, plain
from gan_lab.benchmark.textbook import textbook
from gan_lab.errors import ConfigError
from gan_lab.layers.adaptive_norm import AdaptiveInstanceNorm
from gan_lab.layers.alias_free import AliasFreeActivation, lowpass, radial_lowpass
from gan_lab.layers.fir import Downsample, Filtered, Smooth, Upsample
from gan_lab.layers.modulated_convolution import ModulatedConv2d
from gan_lab.layers.scaled_convolution import EnlargingConv2d, HalvingConv2d
from tests.benchmark.test_textbook import both
from tests.compose import tiny_run

NARROW = ("model=stylegan2_auto", "precision=fp32", "model.generator.depth=1")
GROWN = ("model=stylegan", "algorithm.stages.start=2")
ALIAS_FREE = ("model=stylegan3", "loss.regularizers.r1.every=1")


@pytest.mark.parametrize("layer", [Upsample(), Downsample(), Smooth(1), Smooth(2, gain=4.0)])
def test_resampling(layer: Filtered) -> None:
    maps = torch.randn(2, 3, 8, 6)
    assert_close(Resampling(layer)(maps), layer(maps))


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize(("up", "down", "after"), [(2, 2, 10), (4, 2, 22), (2, 4, 3)])
def test_activations_without_alias(up: int, down: int, after: int, radial: bool) -> None:
    rise = lowpass(6 * up, 2.0, 3.0, 8.0 * up)
    fall = (radial_lowpass if radial else lowpass)(6 * down, 2.0, 3.0, 8.0 * up)
    layer = AliasFreeActivation(11, after, up, rise, down, fall, 0.2, 2**0.5)
    maps = torch.randn(2, 3, 11, 11)
    assert_close(PlainActivation(layer)(maps), layer(maps), rtol=1e-4, atol=1e-5)


def test_styled_statistics() -> None:
    layer, maps, style = AdaptiveInstanceNorm(3, 5), torch.randn(2, 3, 8, 6), torch.randn(2, 5)
    assert_close(PlainStyle(layer)(maps, style), layer(maps, style), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_convolutions_by_groups(up: bool, demodulate: bool) -> None:
    layer, shift = ModulatedConv2d(4, 5, 3, 6, up, demodulate), torch.randn(5, 1, 1)
    maps, style = torch.randn(3, 4, 8, 6), torch.randn(3, 6)
    assert_close(GroupedConv2d(layer)(maps, style, shift, 2.0), layer(maps, style, shift, 2.0), rtol=1e-4, atol=1e-5)


def test_rounds(tmp_path: Path) -> None:
    """Mixed styles, R1 and path length included: with every=2 in the first and the third."""
    often = ("loss.regularizers.r1.every=2", "loss.regularizers.path_length.every=2")
    theirs, ours = both(tiny_run(tmp_path, *NARROW, *often), 4)
    assert theirs == pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize("words", [GROWN, ALIAS_FREE, (*ALIAS_FREE, "model.generator.radial=true")], ids=str)
def test_rounds_of_others(tmp_path: Path, words: tuple[str, ...]) -> None:
    """R1 in every round, of the scores that there are."""
    theirs, ours = both(tiny_run(tmp_path, *words, "precision=fp32", "model.generator.depth=1"), 2)
    assert theirs == pytest.approx(ours, rel=1e-3, abs=1e-4)


def test_a_smaller_size_is_another_round(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^algorithm.stages.start: .* with algorithm.stages.start=2$"):
        textbook(tiny_run(tmp_path, "model=stylegan"))


@pytest.mark.parametrize("words", [NARROW, GROWN, ALIAS_FREE], ids=str)
def test_nothing_of_ours_is_left(tmp_path: Path, words: tuple[str, ...]) -> None:
    run = tiny_run(tmp_path, *words)
    ours = (ModulatedConv2d, Filtered, AliasFreeActivation, AdaptiveInstanceNorm, EnlargingConv2d, HalvingConv2d)
    for network in run.algorithm.networks.values():
        modules = list(plain(network, run).modules())
        assert not any(isinstance(module, ours) for module in modules)
        assert any(isinstance(module, (Resampling, nn.Conv2d)) for module in modules)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["loss=hinge"], "loss.adversarial Hinge"),
        (["loss/regularizers=[r2]"], "loss.regularizers.r2"),
        (["+technique=[diffaugment]"], "an augmentation"),
    ],
)
def test_another_game_is_refused(words: list[str], what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no loop with {what}; measure against=eager"):
        textbook(tiny_run(tmp_path, *NARROW, *words))
