"""U-Net, residual generator and PatchGAN: parameter counts of the authors' code, receptive fields, sizes that fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError
from gan_lab.layers.dropout import UseDropout, drawing
from gan_lab.layers.image_norm import BatchNormByImage, normalization_of
from gan_lab.models import patchgan, pix2pixhd, translator, unet


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "side", "settings", "parameters"),
    [
        (unet.Generator, 256, {}, 54_413_955),
        (unet.Generator, 128, {}, 41_828_995),
        (translator.Generator, 256, {}, 11_378_179),
        (translator.Generator, 128, {}, 7_837_699),
        (translator.Generator, 256, {"normalization": "batch"}, 11_383_427),
        (translator.Generator, 128, {"normalization": "batch"}, 7_841_411),
    ],
)
def test_generators_have_as_many_parameters_as_the_authors(
    build: Any, side: int, settings: dict[str, Any], parameters: int
) -> None:
    with torch.device("meta"):
        assert count(build((3, side, side), (3, side, side), **settings)) == parameters


@pytest.mark.parametrize(
    ("patch", "conditional", "alone"),
    [
        (1, 9_024, 8_705),
        (16, 139_585, 136_385),
        (70, 2_768_705, 2_764_737),
        (286, 11_159_361, 11_154_369),
    ],
)
def test_discriminators_have_as_many_parameters_as_the_authors(patch: int, conditional: int, alone: int) -> None:
    image = (3, 256, 256)
    with torch.device("meta"):
        assert count(patchgan.Discriminator(image, image, patch=patch)) == conditional
        assert count(patchgan.Discriminator(image, patch=patch, normalization="instance")) == alone


@pytest.mark.parametrize("patch", patchgan.STRIDED)
def test_a_score_sees_a_patch(patch: int) -> None:
    side = max(2 * patch, 64)
    judge = patchgan.Discriminator((1, side, side), width=2, patch=patch, normalization="none").double()
    image = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    scores = judge(image).scores
    middle = scores.shape[-1] // 2
    (gradient,) = torch.autograd.grad(scores[0, 0, middle, middle], image)
    seen = gradient[0, 0].nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [patch, patch]


@pytest.mark.parametrize(("side", "patch"), [(16, 34), (32, 70), (256, 70), (6, 16), (2, 1)])
def test_small_images_have_small_patches(side: int, patch: int) -> None:
    assert patchgan.patch_of((3, side, side), "auto") == patch
    judge = patchgan.Discriminator((3, side, side), width=2, normalization="instance").train()
    assert judge(torch.rand(1, 3, side, side)).scores.shape[1] == 1


def test_patches_that_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"patch=70: images of 16 pixels have room for one of at most 34"):
        patchgan.Discriminator((3, 16, 16), patch=70)
    with pytest.raises(ConfigError, match=r"patch: 71 is not one of auto, 1, 16, 34, 70, 142, 286"):
        patchgan.Discriminator((3, 64, 64), patch=71)
    with pytest.raises(ConfigError, match=r"normalization must be one of batch, instance, none, not 'layer'"):
        patchgan.Discriminator((3, 64, 64), normalization="layer")


def test_a_discriminator_is_told_the_input() -> None:
    judge = patchgan.Discriminator((1, 16, 16), (2, 16, 16), width=2, normalization="none")
    image, told = torch.rand(2, 1, 16, 16), torch.rand(2, 2, 16, 16)
    assert not torch.equal(judge(image, told).scores, judge(image, told.flip(0)).scores)
    even = torch.full((2, 2, 16, 16), 0.3)
    assert_close(judge(image, even).scores, judge(image, even[..., ::2, ::2]).scores)


def test_dropout_is_where_the_authors_have_it() -> None:
    for side, layers in ((256, 3), (128, 2), (64, 1), (32, 0)):
        with torch.device("meta"):
            network = unet.Generator((3, side, side), (3, side, side), width=2)
        assert sum(isinstance(module, UseDropout) for module in network.modules()) == layers
        assert network.multiple == side


def test_an_innermost_level_of_zeros_leaves_the_way_beside_it() -> None:
    network = unet.Generator((1, 16, 16), (1, 16, 16), width=2, normalization="none", dropout=0.0)
    input = torch.rand(1, 1, 16, 16)
    nn.init.zeros_(network.up[0][1].weight)
    there = network(input)
    nn.init.normal_(network.down[-1][1].weight)  # the innermost, whose way up is closed
    assert torch.equal(network(input), there)
    assert there.std() > 0


@pytest.mark.parametrize(
    ("image", "input", "levels", "message"),
    [
        ((3, 16, 16), (3, 16, 16), "all", "levels: 'all' is neither a number nor auto"),
        ((3, 18, 18), (3, 18, 18), "auto", "images of 18x18 halve 1 times; choose sides that are multiples of 4"),
        ((3, 48, 32), (3, 48, 32), 5, "images of 48x32 halve 4 times; choose sides that are multiples of 32"),
        ((3, 32, 32), (3, 16, 16), "auto", "makes images of the size of their inputs, which are 16x16 here"),
    ],
)
def test_sizes_that_a_unet_refuses(image: Any, input: Any, levels: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unet.Generator(image, input, levels=levels)


def test_sizes_that_the_residual_generator_refuses() -> None:
    for image, input in (((3, 18, 20), (3, 18, 20)), ((3, 16, 16), (3, 8, 8)), ((3, 4, 4), (3, 4, 4))):
        with pytest.raises(ConfigError, match="multiples of 4 from 8 on"):
            translator.Generator(image, input)


def test_pix2pixhd_has_as_many_parameters_as_the_authors() -> None:
    """The global generator of 36 channels, and two discriminators of 39."""
    image, label = (3, 512, 1024), (36, 512, 1024)
    with torch.device("meta"):
        assert count(translator.Generator(image, label, blocks=9, halvings=4)) == 182_546_755
        judges = [patchgan.Discriminator(image, label, padding=2, halvings=n, normalization="instance") for n in (0, 1)]
        assert sum(map(count, judges)) == 5_603_202


def test_an_enhancer_adds_to_the_global_generators_map() -> None:
    network = pix2pixhd.Generator((1, 32, 32), (2, 32, 32), width=2, blocks=1, normalization="none")
    assert network.multiple == 16
    input = torch.rand(1, 2, 32, 32)
    there = network(input)
    nn.init.zeros_(network.down[-3].weight)
    nn.init.zeros_(network.down[-3].bias)
    alone = network(input)
    assert not torch.equal(alone, there)
    seen: list[torch.Tensor] = []
    network.up.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    network(input)
    half = torch.nn.functional.avg_pool2d(input, 3, 2, 1, count_include_pad=False)
    assert_close(seen[0], network.global_layers(half))
    with pytest.raises(ConfigError, match="sides multiples of 32; here are images of 24x32"):
        pix2pixhd.Generator((1, 24, 32), (1, 24, 32), halvings=4)


def test_a_coarse_scale_is_a_smaller_image() -> None:
    """The mean over 3x3 pixels, those beside the image left out: of an even image nothing changes but its size."""
    torch.manual_seed(0)
    whole = patchgan.Discriminator((1, 16, 16), width=2, patch=16, normalization="none")
    coarse = patchgan.Discriminator((1, 32, 32), width=2, patch=16, normalization="none", halvings=1)
    coarse.load_state_dict(whole.state_dict())
    even = torch.full((1, 1, 32, 32), 0.7)
    assert_close(coarse(even).scores, whole(even[..., ::2, ::2]).scores)
    assert [tuple(each.shape[1:]) for each in coarse(even).maps] == [(2, 8, 8), (4, 7, 7)]


def test_a_residual_block_adds_and_nothing_follows() -> None:
    network = translator.Generator((1, 8, 8), (1, 8, 8), width=2, blocks=1)
    block = next(module for module in network.modules() if isinstance(module, translator.Residual))
    features = torch.randn(1, 8, 4, 4)
    nn.init.zeros_(block.layers[-2].weight)
    nn.init.zeros_(block.layers[-2].bias)
    assert torch.equal(block(features), features)


def test_norms_in_use_are_of_each_image_by_itself() -> None:
    norm = BatchNormByImage(3)
    nn.init.normal_(norm.weight)
    features = torch.randn(4, 3, 5, 5) * torch.arange(1, 5).view(4, 1, 1, 1)
    together = norm(features)
    assert_close(together.transpose(0, 1).flatten(1).var(1, unbiased=False), norm.weight.square(), atol=1e-4, rtol=1e-4)
    norm.eval()
    assert_close(norm(features)[1], norm(features[1:2])[0])
    assert_close(norm(features[:1]), norm.train()(features[:1]))  # a batch of one
    assert normalization_of("instance")(3).eval().running_mean is None  # type: ignore[union-attr]


def test_dropout_in_use_is_drawn_by_the_number_of_the_image() -> None:
    network = nn.Sequential(UseDropout(0.5)).eval()
    ones = torch.ones(3, 4, 8, 8)
    assert torch.equal(network(ones), ones)  # nobody draws

    def drawn(*numbers: int) -> torch.Tensor:
        with drawing(network, [generator_of(f"0 {number}") for number in numbers]):
            made: torch.Tensor = network(ones[: len(numbers)])
        return made

    found = drawn(0, 1, 2)
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert abs(float(found.mean()) - 1) < 0.15
    assert torch.equal(found[2], drawn(2)[0])
    assert not torch.equal(found[1], found[2])
    assert torch.equal(network(ones), ones)
